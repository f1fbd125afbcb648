package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;

/**
 * Keys (after RoPE) and values of the scales that were generated so far, for every block. The
 * memory is reserved at the start for all scales but the last, whose keys and values no later scale
 * reads. The tensors belong to the open scope.
 */
final class KvCache {
  private final List<Kernels.BlockCache> blocks;
  private long position;

  /**
   * @param rows rows of the batch R
   * @param dtype type of the attention's operands
   */
  KvCache(InfinityConfig config, List<Scale> scales, int rows, DType dtype, TorchDevice device) {
    long kept = cachedTokens(scales);
    long last = scales.get(scales.size() - 1).tokens();
    blocks =
        Nn.caches(
            new Kernels.CacheSize(
                config.depth(), rows, kept, last, config.numHeads(), config.headDim()),
            dtype,
            device);
  }

  /** Bytes for one image: keys and values of all blocks, twice with guidance. */
  static long bytesPerImage(
      InfinityConfig config, List<Scale> scales, DType dtype, boolean guided) {
    long values = 2L * config.depth() * config.embedDim() * cachedTokens(scales);
    return values * dtype.bytes() * (guided ? 2 : 1);
  }

  private static long cachedTokens(List<Scale> scales) {
    return scales.subList(0, scales.size() - 1).stream().mapToLong(Scale::tokens).sum();
  }

  /** The cache of block k. */
  Layer layer(int k) {
    return new Layer(blocks.get(k));
  }

  /** To be called when every block has seen the tokens of a scale. */
  void advance(int tokens) {
    position += tokens;
  }

  /** The part of one block. */
  final class Layer {
    private final Kernels.BlockCache block;

    private Layer(Kernels.BlockCache block) {
      this.block = block;
    }

    /** The cache of some rows of the batch. */
    Layer rows(int from, int count) {
      return new Layer(block.rows(from, count));
    }

    /** Room for the keys and values of a scale of {@code tokens} behind those of earlier scales. */
    Kernels.Slot slot(long tokens) {
      return block.slot(position, tokens);
    }
  }
}
