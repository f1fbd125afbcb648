package io.bitloom.engine.model;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * softmax(scale · q kᵀ + mask) v, with the kernel that is fastest for the device and type:
 * libtorch's fused one, except for bfloat16 on the CPU, where three plain operators are five times
 * faster on CPUs with bfloat16 arithmetic, and float32 is on others.
 */
final class Attention {
  private static final TensorOptional NO_MASK = Scope.own(new TensorOptional());

  private final double scale;
  private final DoubleOptional fusedScale;

  Attention(double scale) {
    this.scale = scale;
    this.fusedScale = Scope.own(new DoubleOptional(scale));
  }

  /**
   * @param qBLHc queries (B, L, H, c)
   * @param kBLHc keys (B, T, H, c)
   * @param vBLHc values (B, T, H, c)
   * @param mask added to the scores, (1 or B, 1, 1 or L, T), or null
   * @return (B, L, H·c) in the type of v
   */
  Tensor attend(Tensor qBLHc, Tensor kBLHc, Tensor vBLHc, Tensor mask) {
    DType dtype = Tensors.dtype(vBLHc);
    boolean bf16OnCpu = dtype == DType.BF16 && !vBLHc.is_cuda();
    DType kernel = bf16OnCpu && !Tensors.cpuComputesBf16() ? DType.F32 : dtype;
    Tensor q = Tensors.to(qBLHc, kernel).transpose(1, 2); // (B, H, L, c)
    Tensor k = Tensors.to(kBLHc, kernel).transpose(1, 2); // (B, H, T, c)
    Tensor v = Tensors.to(vBLHc, kernel).transpose(1, 2); // (B, H, T, c)
    Tensor bias = mask == null ? null : Tensors.to(mask, kernel);
    Tensor out = kernel == DType.BF16 && bf16OnCpu ? plain(q, k, v, bias) : fused(q, k, v, bias);
    return Tensors.to(out, dtype).transpose(1, 2).flatten(2, 3); // (B, L, C)
  }

  private Tensor fused(Tensor q, Tensor k, Tensor v, Tensor mask) {
    TensorOptional bias = mask == null ? NO_MASK : new TensorOptional(mask);
    return torch.scaled_dot_product_attention(q, k, v, bias, 0.0, false, fusedScale, false);
  }

  private Tensor plain(Tensor q, Tensor k, Tensor v, Tensor mask) {
    Tensor scores = torch.matmul(q.mul(new Scalar(scale)), k.transpose(2, 3)); // (B, H, L, T)
    return torch.matmul((mask == null ? scores : scores.add(mask)).softmax(-1), v);
  }
}
