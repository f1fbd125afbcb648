package io.bitloom.engine.tensor;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * The keys of a row of the batch lie together, and its values. The last scale is put behind a copy
 * of the earlier ones, because no later one reads it.
 *
 * @param kept2RTHc keys and values of all scales but the last
 */
record RowsFirstCache(Tensor kept2RTHc) implements Kernels.BlockCache {

  static List<Kernels.BlockCache> of(Kernels.CacheSize size, DType dtype, TorchDevice device) {
    long[] shape = {2, size.rows(), size.kept(), size.heads(), size.headSize()};
    return Stream.<Kernels.BlockCache>generate(
            () -> new RowsFirstCache(Tensors.empty(dtype, device, shape)))
        .limit(size.blocks())
        .toList();
  }

  @Override
  public Kernels.Slot slot(long from, long tokens) {
    long end = from + tokens;
    if (end <= kept2RTHc.size(2)) {
      return new Kernels.Slot(kept2RTHc.narrow(2, 0, end), from);
    }
    long[] shape = kept2RTHc.shape();
    shape[2] = end;
    Tensor whole = kept2RTHc.new_empty(shape);
    whole.narrow(2, 0, from).copy_(kept2RTHc.narrow(2, 0, from));
    return new Kernels.Slot(whole, from);
  }

  @Override
  public Kernels.BlockCache rows(int from, int count) {
    return new RowsFirstCache(kept2RTHc.narrow(1, from, count));
  }
}
