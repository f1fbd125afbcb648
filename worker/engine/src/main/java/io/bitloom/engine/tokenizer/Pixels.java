package io.bitloom.engine.tokenizer;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Conversions between 8-bit pictures and the values in [-1, 1] that the networks see. */
public final class Pixels {
  private Pixels() {}

  /** 8-bit values of any shape to x/255·2 − 1 in float32. */
  public static Tensor toSignal(Tensor bytes) {
    try (Scope scope = Scope.open()) {
      Tensor unit = Tensors.to(bytes, DType.F32).div(new Scalar(255f));
      return scope.keep(unit.add(unit).sub(new Scalar(1)));
    }
  }

  /**
   * Values of any shape to 8 bits: clamped to [-1, 1], (x + 1)/2·255, truncated, as the reference.
   */
  public static Tensor toBytes(Tensor signal) {
    try (Scope scope = Scope.open()) {
      Tensor unit =
          Tensors.clamp(Tensors.to(signal, DType.F32), -1, 1)
              .add(new Scalar(1))
              .div(new Scalar(2))
              .mul(new Scalar(255));
      return scope.keep(Tensors.to(unit, DType.U8));
    }
  }
}
