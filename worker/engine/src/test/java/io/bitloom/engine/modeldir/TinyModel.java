package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import java.util.Locale;
import java.util.Map;

/** The weights of a model that is as small as one can be, with the structure of the 2B model. */
public final class TinyModel {
  public static final int BITS = 8;

  static final String TRANSFORMER =
      """
      {"embed_dim": 64, "depth": 4, "num_heads": 2, "block_chunks": 2, "text_channels": 128,
       "text_maxlen": 16, "shared_aln": true, "rope2d_each_sa_layer": 1,
       "rope2d_normalized_by_hw": 2}
      """;

  private TinyModel() {}

  static JsonObject json(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }

  static InfinityConfig transformer(int bits) {
    return InfinityConfig.parse(json(TRANSFORMER), bits);
  }

  static TokenizerConfig tokenizer(int bits) {
    return TokenizerConfig.of(
        json(
            String.format(
                Locale.ROOT,
                """
            {"codebook_dim": %d, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
             "num_res_blocks": 1}
            """,
                bits)));
  }

  public static Weights transformerWeights(long seed) {
    return weights(InfinityLayout.of(transformer(BITS)), seed);
  }

  public static Weights tokenizerWeights(int bits) {
    return weights(TokenizerLayout.of(tokenizer(bits)), 7);
  }

  static Weights weights(Map<String, long[]> layout, long seed) {
    Weights weights = new Weights("tiny");
    layout.forEach(
        (name, shape) -> {
          try (Scope scope = Scope.open()) {
            double scale = name.endsWith("zero_k_bias") ? 0 : 0.1;
            weights.put(name, new RuleTensor(name, shape, 0, scale).generate(seed));
          }
        });
    return weights;
  }

  static Weights as(Weights weights, DType dtype) {
    return weights.to(TorchDevice.CPU, dtype);
  }
}
