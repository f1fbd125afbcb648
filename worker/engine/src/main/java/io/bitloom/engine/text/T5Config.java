package io.bitloom.engine.text;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Set;

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
 * @param eosTokenId the token that ends every text
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
    double normEps,
    int eosTokenId) {
  private static final Set<String> MODEL_TYPES = Set.of("t5", "mt5");

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
    if (eosTokenId < 0 || eosTokenId >= vocabSize) {
      throw fault("eos_token_id", "a number below vocab_size " + vocabSize, eosTokenId);
    }
  }

  /**
   * Reads Hugging Face's {@code config.json}.
   *
   * @throws WeightsException naming file, key and value, if a key is missing, of the wrong kind or
   *     out of range, or asks for another model than an encoder with the gated GELU of T5 v1.1
   */
  public static T5Config parse(JsonFields json) {
    try {
      if (json.has("model_type") && !MODEL_TYPES.contains(json.text("model_type"))) {
        throw fault("model_type", "t5 or mt5", json.text("model_type"));
      }
      if (!json.text("feed_forward_proj").equals("gated-gelu")) {
        throw fault(
            "feed_forward_proj", "gated-gelu (T5 v1.1, Flan-T5)", json.text("feed_forward_proj"));
      }
      return new T5Config(
          json.integer("d_model"),
          json.integer("d_kv"),
          json.integer("num_heads"),
          json.integer("d_ff"),
          json.integer("num_layers"),
          json.integer("vocab_size"),
          integer(json, "relative_attention_num_buckets", 32),
          integer(json, "relative_attention_max_distance", 128),
          json.has("layer_norm_epsilon") ? json.number("layer_norm_epsilon") : 1e-6,
          integer(json, "eos_token_id", 1));
    } catch (IllegalArgumentException e) {
      throw new WeightsException(json.source(), e.getMessage(), e);
    }
  }

  private static int integer(JsonFields json, String key, int otherwise) {
    return json.has(key) ? json.integer(key) : otherwise;
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw fault(key, "a positive number", value);
    }
  }

  private static IllegalArgumentException fault(String key, String expected, Object found) {
    return new IllegalArgumentException(key + ": expected " + expected + ", found " + found);
  }
}
