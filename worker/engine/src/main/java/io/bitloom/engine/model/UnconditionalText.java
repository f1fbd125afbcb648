package io.bitloom.engine.model;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The learned text that stands for no prompt, one row per position. A checkpoint trained with
 * another maximal text length is cropped, or padded with the official initial values: normal with
 * standard deviation 1.2 cut off at ±2, from PyTorch's generator with seed 0, divided by the square
 * root of the channels.
 */
public final class UnconditionalText {
  private static final double STD = 1.2;
  private static final double CUT = 2;

  private UnconditionalText() {}

  /** {@code learned} (any length, channels) as (length, channels). */
  static Tensor ofLength(Tensor learned, int length) {
    long rows = learned.size(0);
    if (rows >= length) {
      return rows == length ? learned : learned.narrow(0, 0, length);
    }
    Tensor initial =
        Tensors.to(
            initial(length, learned.size(1)), TorchDevice.of(learned), Tensors.dtype(learned));
    return torch.cat(new TensorVector(learned, initial.narrow(0, rows, length - rows)), 0);
  }

  /** PyTorch's trunc_normal_: uniform between the two tails, through the inverse error function. */
  public static Tensor initial(long length, long channels) {
    double[] cut = {CUT / STD / Math.sqrt(2)};
    double inner = Tensors.doubles(torch.erf(Tensors.of(cut, TorchDevice.CPU, DType.F64, 1)))[0];
    return Tensors.empty(DType.F32, TorchDevice.CPU, length, channels)
        .uniform_(-inner, inner, new GeneratorOptional(torch.make_generator_cpu(0)))
        .erfinv_()
        .mul_(new Scalar(STD * Math.sqrt(2)))
        .clamp_(new ScalarOptional(new Scalar(-CUT)), new ScalarOptional(new Scalar(CUT)))
        .div_(new Scalar(Math.sqrt(channels)));
  }
}
