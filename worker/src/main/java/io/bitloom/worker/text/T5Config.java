package io.bitloom.worker.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/**
 * The architecture of a T5 v1.1 or Flan-T5 encoder, under the names of Hugging Face's {@code
 * config.json}.
 *
 * @param dModel width of the features
 * @param dKv size of an attention head; heads · size need not equal the width
 * @param numHeads heads
 * @param dFf width of the feed-forward layer
 * @param numLayers blocks
 * @param vocabSize token ids are below this
 * @param buckets relative positions that have a bias of their own
 * @param maxDistance relative positions from here on share the last bucket
 * @param normEps ε of the RMS norms
 */
public record T5Config(
    int dModel,
    int dKv,
    int numHeads,
    int dFf,
    int numLayers,
    int vocabSize,
    int buckets,
    int maxDistance,
    double normEps) {

  /**
   * @throws IllegalArgumentException if a number is out of range; the message names the key
   */
  public T5Config {
    requirePositive("d_model", dModel);
    requirePositive("d_kv", dKv);
    requirePositive("num_heads", numHeads);
    requirePositive("d_ff", dFf);
    requirePositive("num_layers", numLayers);
    requirePositive("vocab_size", vocabSize);
    if (buckets < 4 || buckets % 2 != 0) {
      throw fault("relative_attention_num_buckets", "an even number from 4 on", buckets);
    }
    if (maxDistance <= buckets / 4) {
      throw fault(
          "relative_attention_max_distance", "more than a quarter of the buckets", maxDistance);
    }
    if (!(normEps > 0)) {
      throw fault("layer_norm_epsilon", "a positive number", normEps);
    }
  }

  /**
   * Reads Hugging Face's {@code config.json}.
   *
   * @throws IllegalArgumentException if a key is missing, of the wrong kind, or asks for another
   *     feed-forward layer than the gated GELU of T5 v1.1
   */
  public static T5Config parse(JsonObject json) {
    JsonElement feedForward = json.get("feed_forward_proj");
    if (feedForward == null || !feedForward.getAsString().equals("gated-gelu")) {
      throw fault("feed_forward_proj", "gated-gelu (T5 v1.1, Flan-T5)", feedForward);
    }
    return new T5Config(
        integer(json, "d_model", 0),
        integer(json, "d_kv", 0),
        integer(json, "num_heads", 0),
        integer(json, "d_ff", 0),
        integer(json, "num_layers", 0),
        integer(json, "vocab_size", 0),
        integer(json, "relative_attention_num_buckets", 32),
        integer(json, "relative_attention_max_distance", 128),
        number(json, "layer_norm_epsilon", 1e-6));
  }

  private static int integer(JsonObject json, String key, int otherwise) {
    double value = number(json, key, otherwise);
    if (value != Math.rint(value) || Math.abs(value) > Integer.MAX_VALUE) {
      throw fault(key, "a whole number", value);
    }
    return (int) value;
  }

  private static double number(JsonObject json, String key, double otherwise) {
    JsonElement value = json.get(key);
    if (value == null) {
      return otherwise;
    }
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
      throw fault(key, "a number", value);
    }
    return value.getAsDouble();
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw fault(key, "a positive number", value);
    }
  }

  private static IllegalArgumentException fault(String key, String expected, Object found) {
    return new IllegalArgumentException(key + ": expected " + expected + ", got " + found);
  }
}
