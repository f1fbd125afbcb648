package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The keys and values of all rows for a token lie together, so that those of a scale come to lie
 * behind those of the scales before it and nothing is ever moved. All blocks are in one tensor, the
 * last one first: behind a block is what the block before it has seen, which nobody reads any more
 * when the last scale, for which there is no room of its own, runs over it.
 *
 * @param tokensT2RHc keys and values from the block's first token on
 */
record TokensFirstCache(Tensor tokensT2RHc) implements Kernels.BlockCache {

  static List<Kernels.BlockCache> of(Kernels.CacheSize size, DType dtype, TorchDevice device) {
    long tokens = size.blocks() * size.kept() + size.last();
    Tensor all =
        Tensors.empty(dtype, device, tokens, 2, size.rows(), size.heads(), size.headSize());
    return IntStream.range(0, size.blocks())
        .<Kernels.BlockCache>mapToObj(
            block -> {
              long length = (block + 1) * size.kept() + size.last(); // up to the end
              return new TokensFirstCache(all.narrow(0, tokens - length, length));
            })
        .toList();
  }

  @Override
  public Kernels.Slot slot(long from, long tokens) {
    return new Kernels.Slot(tokensT2RHc.narrow(0, 0, from + tokens).permute(1, 2, 0, 3, 4), from);
  }

  @Override
  public Kernels.BlockCache rows(int from, int count) {
    return new TokensFirstCache(tokensT2RHc.narrow(2, from, count));
  }
}
