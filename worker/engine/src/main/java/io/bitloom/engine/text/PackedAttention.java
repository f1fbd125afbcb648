package io.bitloom.engine.text;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Attention of texts that lie one after the other without padding: every text attends to itself
 * alone, in a call of its own, so that its result does not depend on the others.
 */
final class PackedAttention {
  private static final TensorOptional NO_BIAS = Scope.own(new TensorOptional());

  private final int heads;
  private final int headSize;
  private final DoubleOptional scale;

  /**
   * @param scale the scores are multiplied with it
   */
  PackedAttention(int heads, int headSize, double scale) {
    this.heads = heads;
    this.headSize = headSize;
    this.scale = Scope.own(new DoubleOptional(scale));
  }

  /**
   * @param queries (N, heads · c) float32, as keys and values
   * @param lengths rows of each text
   * @param biases added to the scores of a text of a length (1, heads, L, L); empty for none
   * @return (N, heads · c)
   */
  Tensor attend(
      Tensor queries,
      Tensor keys,
      Tensor values,
      List<Integer> lengths,
      Map<Integer, Tensor> biases) {
    List<Tensor> attended = new ArrayList<>();
    long start = 0;
    for (int length : lengths) {
      Tensor text =
          torch.scaled_dot_product_attention(
              heads(queries, start, length),
              heads(keys, start, length),
              heads(values, start, length),
              biases.isEmpty() ? NO_BIAS : new TensorOptional(biases.get(length)),
              0.0,
              false,
              scale,
              false); // (1, heads, L, c)
      attended.add(text.transpose(1, 2).flatten(2, 3).squeeze(0)); // (L, heads · c)
      start += length;
    }
    return Tensors.concat(attended, 0);
  }

  /** A text's rows as (1, heads, L, c). */
  private Tensor heads(Tensor rows, long start, int length) {
    return rows.narrow(0, start, length).view(1, length, heads, headSize).transpose(1, 2);
  }
}
