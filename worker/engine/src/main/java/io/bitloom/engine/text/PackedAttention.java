package io.bitloom.engine.text;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Attention of texts that lie one after the other without padding: every text attends to itself
 * alone, in a call of its own, so that its result does not depend on the others.
 */
final class PackedAttention {
  private final int heads;
  private final int headSize;
  private final double scale;

  /**
   * @param scale the scores are multiplied with it
   */
  PackedAttention(int heads, int headSize, double scale) {
    this.heads = heads;
    this.headSize = headSize;
    this.scale = scale;
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
          Nn.attention(
              heads(queries, start, length),
              heads(keys, start, length),
              heads(values, start, length),
              biases.get(length),
              scale);
      attended.add(text.squeeze(0)); // (L, heads · c)
      start += length;
    }
    return Tensors.concat(attended, 0);
  }

  /** A text's rows as (1, L, heads, c). */
  private Tensor heads(Tensor rows, long start, int length) {
    return rows.narrow(0, start, length).view(1, length, heads, headSize);
  }
}
