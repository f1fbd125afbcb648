package io.bitloom.engine.tensor.cuda;

import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The operators on tensors without values ({@code meta}): those of GPUs, so that shapes, types,
 * devices and launches are theirs. Where libtorch has an operator for devices with values only, one
 * that makes a tensor of the result's shape and type stands for it.
 */
public final class MetaKernels extends CudaKernels {
  @Override
  public Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    long[] shape = {
      x.size(0),
      weight.size(0),
      cells(x.size(2), weight.size(2), stride, padding),
      cells(x.size(3), weight.size(3), stride, padding)
    };
    return torch.empty(shape, x.options(), new MemoryFormatOptional(x.suggest_memory_format()));
  }

  private static long cells(long side, long kernel, int stride, int padding) {
    return (side + 2L * padding - kernel) / stride + 1;
  }

  @Override
  protected Tensor variances(Tensor into, Tensor x) {
    return into;
  }
}
