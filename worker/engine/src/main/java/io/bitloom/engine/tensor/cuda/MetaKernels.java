package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The operators on tensors without values ({@code meta}): those of GPUs, so that shapes, types,
 * devices and launches are theirs. Where libtorch has an operator for devices with values only, one
 * that makes a tensor of the result's shape and type stands for it.
 */
public final class MetaKernels extends CudaKernels {
  @Override
  public Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return weight == null || bias == null ? torch.zeros_like(x) : torch.addcmul(bias, x, weight);
  }

  @Override
  public Tensor attention(Tensor qBLHc, Tensor kBTHc, Tensor vBTHc, Tensor mask, double scale) {
    DType dtype = Tensors.dtype(vBTHc);
    Tensors.to(kBTHc, dtype);
    long[] shape = Tensors.to(qBLHc, dtype).shape();
    return Tensors.zeros(dtype, TorchDevice.META, shape).flatten(2, 3); // (B, L, H·c)
  }
}
