package io.bitloom.worker.text;

import io.bitloom.worker.checkpoint.JsonFields;
import io.bitloom.worker.tensor.WeightsException;
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
 */
public record WordEmbeddingConfig(int width, int depth, int numHeads, int maxLength) {
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
    if (width % numHeads != 0) {
      throw new IllegalArgumentException(
          "num_heads: expected a divisor of width " + width + ", found " + numHeads);
    }
  }

  /**
   * Reads {@code width}, {@code depth}, {@code num_heads} and {@code max_length}.
   *
   * @throws WeightsException naming file, key and value
   */
  public static WordEmbeddingConfig parse(JsonFields json) {
    json.onlyMembers("width", "depth", "num_heads", "max_length");
    try {
      return new WordEmbeddingConfig(
          json.integer("width"),
          json.integer("depth"),
          json.integer("num_heads"),
          json.integer("max_length"));
    } catch (IllegalArgumentException e) {
      throw new WeightsException(json.source(), e.getMessage(), e);
    }
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
