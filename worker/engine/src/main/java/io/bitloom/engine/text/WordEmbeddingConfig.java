package io.bitloom.engine.text;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.tensor.WeightsException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The architecture of a small text encoder: embeddings of words and places, then transformer
 * blocks.
 *
 * @param width width of the features
 * @param depth blocks; 0 leaves the embeddings as they are
 * @param numHeads heads of the blocks' attention
 * @param maxLength tokens of a text, the end included; longer texts are cut
 * @param relativeBuckets {@link RelativePositions buckets} of distances that attention tells apart,
 *     each with a bias per head that all blocks share, as in T5; 0 for none
 */
public record WordEmbeddingConfig(
    int width, int depth, int numHeads, int maxLength, int relativeBuckets) {
  /** Name of the biases of relative positions. */
  public static final String RELATIVE = "relative_attention_bias.weight";

  static final double NORM_EPS = 1e-6;
  private static final int MLP_RATIO = 4;
  private static final int MOST = 1 << 16;

  /**
   * @throws IllegalArgumentException if a number is out of range; the message names the key
   */
  public WordEmbeddingConfig {
    require("width", width, 1, MOST);
    require("depth", depth, 0, 128);
    require("num_heads", numHeads, 1, width);
    require("max_length", maxLength, 1, MOST);
    require("relative_buckets", relativeBuckets, 0, MOST);
    if (relativeBuckets % 2 != 0 || relativeBuckets == 2 || relativeBuckets >= 4 * maxLength) {
      throw new IllegalArgumentException(
          "relative_buckets: expected 0, or an even number from 4 to less than 4 times max_length "
              + maxLength
              + ", found "
              + relativeBuckets);
    }
    if (width % numHeads != 0) {
      throw new IllegalArgumentException(
          "num_heads: expected a divisor of width " + width + ", found " + numHeads);
    }
  }

  /**
   * Reads {@code width}, {@code depth}, {@code num_heads}, {@code max_length} and, if it is there,
   * {@code relative_buckets}.
   *
   * @throws WeightsException naming file, key and value
   */
  public static WordEmbeddingConfig parse(JsonFields json) {
    json.onlyMembers("width", "depth", "num_heads", "max_length", "relative_buckets");
    try {
      return new WordEmbeddingConfig(
          json.integer("width"),
          json.integer("depth"),
          json.integer("num_heads"),
          json.integer("max_length"),
          json.has("relative_buckets") ? json.integer("relative_buckets") : 0);
    } catch (IllegalArgumentException e) {
      throw new WeightsException(json.source(), e.getMessage(), e);
    }
  }

  /** The same with other relative positions. */
  public WordEmbeddingConfig withRelativeBuckets(int buckets) {
    return new WordEmbeddingConfig(width, depth, numHeads, maxLength, buckets);
  }

  int headSize() {
    return width / numHeads;
  }

  int hidden() {
    return MLP_RATIO * width;
  }

  /**
   * Name and shape of every parameter.
   *
   * @param vocabulary number of ids
   */
  public Map<String, long[]> layout(int vocabulary) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("embed.weight", new long[] {vocabulary, width});
    shapes.put("position.weight", new long[] {maxLength, width});
    if (relativeBuckets > 0) {
      shapes.put(RELATIVE, new long[] {relativeBuckets, numHeads});
    }
    for (int block = 0; block < depth; block++) {
      String prefix = "blocks." + block + ".";
      shapes.put(prefix + "attn_norm.weight", new long[] {width});
      shapes.put(prefix + "attn.qkv.weight", new long[] {3L * width, width});
      shapes.put(prefix + "attn.proj.weight", new long[] {width, width});
      shapes.put(prefix + "mlp_norm.weight", new long[] {width});
      shapes.put(prefix + "mlp.fc1.weight", new long[] {hidden(), width});
      shapes.put(prefix + "mlp.fc2.weight", new long[] {width, hidden()});
    }
    shapes.put("norm.weight", new long[] {width});
    return shapes;
  }

  private static void require(String key, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          key + ": expected " + least + " to " + most + ", found " + value);
    }
  }
}
