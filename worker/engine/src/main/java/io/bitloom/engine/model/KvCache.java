package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Keys (after RoPE) and values of the scales that were generated so far, for every block. The
 * memory is reserved at the start for all scales but the last, whose keys and values no later scale
 * reads. The tensors belong to the open scope.
 */
final class KvCache {
  private final List<Layer> layers;
  private final long capacity;
  private long position;

  /**
   * @param rows rows of the batch R
   * @param dtype type of the attention's operands
   */
  KvCache(InfinityConfig config, List<Scale> scales, int rows, DType dtype, TorchDevice device) {
    capacity = cachedTokens(scales);
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

  /** The keys and values that a scale's queries see, its own at the end. */
  record KeysValues(Tensor keysRLHc, Tensor valuesRLHc) {}

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

    /** Appends a scale's keys and values (R, l, H, c). */
    KeysValues append(Tensor newKeys, Tensor newValues) {
      return new KeysValues(extended(keys, newKeys), extended(values, newValues));
    }

    private Tensor extended(Tensor cache, Tensor added) {
      long tokens = added.size(1);
      if (position + tokens > capacity) {
        Tensor earlier = cache.narrow(1, 0, position);
        return torch.cat(new TensorVector(earlier, added.to(cache.scalar_type())), 1);
      }
      cache.narrow(1, position, tokens).copy_(added);
      return cache.narrow(1, 0, position + tokens); // (R, tokens so far, H, c)
    }
  }
}
