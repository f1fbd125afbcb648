package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Convolution on the CPU without gradients: large 3×3 ones by the algorithm that was measured to be
 * the quickest for their shape on this processor ({@link ConvolutionTuning}), the others directly.
 *
 * <p>bfloat16 on a CPU without bfloat16 arithmetic: inputs, weights and outputs are rounded to
 * bfloat16 and the products are computed in float32, because libtorch would compute them one by
 * one.
 */
final class CpuConvolution {
  /** Products that an output sums up, from which on it matters how. */
  private static final long LONG_SUM = 9 * 96;

  /** Where there are not more outputs, bringing the inputs into order takes longer than the sum. */
  private static final long FEW_CHANNELS = 3;

  private CpuConvolution() {}

  /** {@link CpuKernels#conv2d}. */
  static Tensor apply(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    boolean keepsSize = weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1;
    return inKernelType(
        x,
        weight,
        bias,
        keepsSize
            ? (input, filters, shift) -> quickest(false, input, filters, shift)
            : (input, filters, shift) -> direct(input, filters, shift, stride, padding));
  }

  /** {@link CpuKernels#doubledConv2d}. */
  static Tensor applyDoubled(Tensor x, Tensor weight, Tensor bias) {
    return inKernelType(
        x, weight, bias, (input, filters, shift) -> quickest(true, input, filters, shift));
  }

  private interface Operator {
    Tensor apply(Tensor x, Tensor weight, Tensor bias);
  }

  private static Tensor inKernelType(Tensor x, Tensor weight, Tensor bias, Operator operator) {
    DType dtype = Tensors.dtype(x);
    if (CpuKernels.kernelType(dtype) == dtype) {
      return operator.apply(x, weight, bias);
    }
    Tensor wideBias = bias == null ? null : Tensors.to(bias, DType.F32);
    Tensor wide = operator.apply(Tensors.to(x, DType.F32), Tensors.to(weight, DType.F32), wideBias);
    return Tensors.to(wide, dtype);
  }

  /**
   * Only maps with channels last take other ways than the direct one: the encoder, whose bits have
   * to come out exactly, has its channels first.
   */
  private static Tensor quickest(boolean doubled, Tensor x, Tensor weight, Tensor bias) {
    ConvolutionShape shape = ConvolutionShape.of(doubled, x, weight);
    ConvolutionAlgorithm algorithm =
        shape.dtype() != DType.F64 && x.is_contiguous(torch.MemoryFormat.ChannelsLast)
            ? ConvolutionTuning.algorithm(shape)
            : ConvolutionAlgorithm.DIRECT;
    return algorithm.apply(doubled, x, weight, bias);
  }

  /**
   * The sum over all taps and channels. With channels last oneDNN adds them up in one accumulator,
   * with channels first in parts, which rounds three times less where the sum is long; and of a
   * small map it would bring the weight, which is larger, into its order anew for every call.
   */
  static Tensor direct(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    boolean last = x.is_contiguous(torch.MemoryFormat.ChannelsLast);
    long products = weight.numel() / weight.size(0);
    boolean longSum =
        Tensors.dtype(x) == DType.F32 && products >= LONG_SUM && weight.size(0) > FEW_CHANNELS;
    if (last && (longSum || weight.numel() > x.numel() / x.size(0))) {
      return Tensors.channelsLast(
          CpuKernels.plainConv2d(x.contiguous(), weight, bias, stride, padding));
    }
    return CpuKernels.plainConv2d(x, weight, bias, stride, padding);
  }
}
