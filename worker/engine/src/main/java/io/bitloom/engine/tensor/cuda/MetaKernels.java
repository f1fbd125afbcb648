package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.MetaOperators;
import org.bytedeco.pytorch.Tensor;

/**
 * The operators of GPUs on tensors without memory, so that everything but the GPU itself can be
 * tried on any machine: only what libtorch does not compute there is answered by {@link
 * MetaOperators}.
 */
public final class MetaKernels extends CudaKernels {
  @Override
  public Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return MetaOperators.layerNorm(x, weight, bias);
  }

  @Override
  protected Tensor nativeAttention(
      Tensor qBHLc, Tensor kBHTc, Tensor vBHTc, Tensor mask, double scale) {
    return MetaOperators.attention(qBHLc, kBHTc, vBHTc, mask);
  }

  @Override
  public Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    return MetaOperators.convolution(x, weight, bias, stride, padding);
  }

  @Override
  protected Tensor variances(Tensor into, Tensor x) {
    return into.zero_(); // one operator, as there
  }

  @Override
  protected Tensor nativeGroupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return MetaOperators.groupNorm(x, groups, weight, bias);
  }
}
