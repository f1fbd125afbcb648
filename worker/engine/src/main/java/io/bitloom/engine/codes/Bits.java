package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Bits, unsigned bytes 0 and 1: the signs that they stand for, and the integers that they spell.
 */
public final class Bits {
  private Bits() {}

  /**
   * Residuals (B, d, h, w) as bits (B, h, w, d): 1 where positive. Normalising to the sphere first,
   * as the definition of BSQ does, changes no sign.
   */
  static Tensor of(Tensor residualBdhw) {
    return Tensors.to(residualBdhw.gt(new Scalar(0)).permute(0, 2, 3, 1), DType.U8);
  }

  /** Bits as values ±unit of a floating type. */
  static Tensor signed(Tensor bits, double unit, DType dtype) {
    return Tensors.to(bits, dtype).mul(new Scalar(2 * unit)).sub(new Scalar(unit));
  }

  /** Bits (…, d) as one integer each, the first bit the most significant; (…), int64. */
  public static Tensor labels(Tensor bits) {
    Tensor places = placesBeside(bits, Math.toIntExact(bits.size(-1)));
    return Tensors.to(bits, DType.I64).mul(places).sum(-1L);
  }

  /** Integers (…) as d bits each (…, d), the inverse of {@link #labels}. */
  public static Tensor ofLabels(Tensor labels, int d) {
    Tensor masked = labels.unsqueeze(-1).bitwise_and(placesBeside(labels, d)); // (…, d)
    return Tensors.to(masked.ne(new Scalar(0)), DType.U8);
  }

  /** What each of d bits counts in a label: 2^(d−1), …, 2, 1. */
  public static long[] places(int d) {
    long[] places = new long[d];
    for (int bit = 0; bit < d; bit++) {
      places[bit] = 1L << (d - 1 - bit);
    }
    return places;
  }

  /** {@link #places} (d), made where the tensor is: a GPU would wait for an upload. */
  private static Tensor placesBeside(Tensor tensor, int d) {
    Tensor behind = Tensors.range(d, TorchDevice.of(tensor)).neg().add(new Scalar(d - 1L));
    return torch.bitwise_left_shift(new Scalar(1L), behind);
  }
}
