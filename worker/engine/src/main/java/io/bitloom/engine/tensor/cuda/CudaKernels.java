package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.BlockCausal;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibtorchKernels;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The operators on GPUs: libtorch's own, on whole batches, because a launch is what costs. */
public class CudaKernels extends LibtorchKernels {
  @Override
  public boolean padsSequences() {
    return true;
  }

  /**
   * {@inheritDoc}
   *
   * <p>A call for each scale, whose queries see all keys that are there so far. Without a mask
   * flash attention can take it, nothing of size L·L is held, and what a mask would hide is not
   * computed: 38 % of the 13 scales of 1024².
   */
  @Override
  public Tensor blockCausalAttention(
      Tensor qBLHc, Tensor kBLHc, Tensor vBLHc, BlockCausal scales, double scale) {
    DType dtype = Tensors.dtype(vBLHc);
    Tensor q = Tensors.to(qBLHc, dtype); // once, not for every scale that sees it
    Tensor keys = Tensors.to(kBLHc, dtype);
    Tensor values = vBLHc;
    List<Integer> ends = scales.ends();
    Tensor[] attended = new Tensor[ends.size()];
    // From the last scale to the first, each with a part of the one before: so the gradient of a
    // part is filled up with zeros to the next larger part only, and not to all L tokens.
    for (int k = ends.size() - 1; k >= 0; k--) {
      int end = ends.get(k);
      int start = k == 0 ? 0 : ends.get(k - 1);
      keys = keys.narrow(1, 0, end); // (B, T, H, c)
      values = values.narrow(1, 0, end); // (B, T, H, c)
      attended[k] = attention(q.narrow(1, start, end - start), keys, values, null, scale);
    }
    return torch.cat(new TensorVector(attended), 1); // (B, L, H·c)
  }
}
