package io.bitloom.worker.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Convolution on the CPU without gradients, the quickest way for its size: Winograd's for large 3×3
 * ones, oneDNN's for the others.
 *
 * <p>bfloat16 on a CPU without bfloat16 arithmetic: inputs, weights and outputs are rounded to
 * bfloat16 and the products are computed in float32, because libtorch would compute them one by
 * one.
 */
final class CpuConvolution {
  private CpuConvolution() {}

  /** As {@link Nn#conv2d}. */
  static Tensor apply(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    DType dtype = Tensors.dtype(x);
    if (dtype == DType.BF16 && !OneDnn.bf16()) {
      Tensor wideBias = bias == null ? null : Tensors.to(bias, DType.F32);
      Tensor wide =
          quickest(
              Tensors.to(x, DType.F32), Tensors.to(weight, DType.F32), wideBias, stride, padding);
      return Tensors.to(wide, dtype);
    }
    return quickest(x, weight, bias, stride, padding);
  }

  /** As {@link Nn#doubledConv2d}. */
  static Tensor applyDoubled(Tensor x, Tensor weight, Tensor bias) {
    return Tensors.dtype(x) == DType.F32 && Winograd.pays(WinogradForm.DOUBLED, x, weight)
        ? Winograd.conv3x3(WinogradForm.DOUBLED, x, weight, bias)
        : apply(Resize.doubled(x), weight, bias, 1, 1);
  }

  private static Tensor quickest(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    boolean keepsSize = weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 && padding == 1;
    if (keepsSize
        && Tensors.dtype(x) == DType.F32
        && Winograd.pays(WinogradForm.SAME_SIZE, x, weight)) {
      return Winograd.conv3x3(WinogradForm.SAME_SIZE, x, weight, bias);
    }
    if (weight.numel() > x.numel() && x.is_contiguous(torch.MemoryFormat.ChannelsLast)) {
      // libtorch would bring the weight, not the smaller map, into its order anew for every call.
      return Tensors.channelsLast(Nn.plainConv2d(x.contiguous(), weight, bias, stride, padding));
    }
    return Nn.plainConv2d(x, weight, bias, stride, padding);
  }
}
