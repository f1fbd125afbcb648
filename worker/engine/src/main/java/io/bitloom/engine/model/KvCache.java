package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * Keys (after RoPE) and values of the scales that were generated so far, for every block. The
 * memory is reserved at the start for all scales but the last, whose keys and values no later scale
 * reads. The tensors belong to the open scope.
 */
final class KvCache {
  private final List<Layer> layers;
  private final DType dtype;
  private final TorchDevice device;
  private final long capacity;
  private long position;

  /**
   * @param rows rows of the batch R
   * @param dtype type of the attention's operands
   */
  KvCache(InfinityConfig config, List<Scale> scales, int rows, DType dtype, TorchDevice device) {
    this.dtype = dtype;
    this.device = device;
    this.capacity = cachedTokens(scales);
    long[] shape = {rows, capacity, config.numHeads(), config.headDim()};
    layers =
        Stream.generate(
                () ->
                    new Layer(
                        Tensors.empty(dtype, device, shape), Tensors.empty(dtype, device, shape)))
            .limit(config.depth())
            .toList();
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
    return layers.get(k);
  }

  /** To be called when every block has seen the tokens of a scale. */
  void advance(int tokens) {
    position += tokens;
  }

  /** The part of one block. */
  final class Layer {
    private final Tensor keys; // (R, capacity, H, c)
    private final Tensor values; // (R, capacity, H, c)

    private Layer(Tensor keys, Tensor values) {
      this.keys = keys;
      this.values = values;
    }

    /** The cache of some rows of the batch. */
    Layer rows(int from, int count) {
      return new Layer(keys.narrow(0, from, count), values.narrow(0, from, count));
    }

    /** Room for the keys and values of a scale of {@code tokens} behind those of earlier scales. */
    Kernels.Slot slot(long tokens) {
      return new Kernels.Slot(extended(keys, tokens), extended(values, tokens), position);
    }

    private Tensor extended(Tensor cache, long tokens) {
      long end = position + tokens;
      if (end <= capacity) {
        return cache.narrow(1, 0, end); // (R, tokens so far, H, c)
      }
      Tensor whole = Tensors.empty(dtype, device, cache.size(0), end, cache.size(2), cache.size(3));
      whole.narrow(1, 0, position).copy_(cache.narrow(1, 0, position));
      return whole;
    }
  }
}
