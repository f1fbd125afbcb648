package io.bitloom.engine.text;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A T5 of two blocks with weights by rule, for the tokenizer fixtures. */
public final class TinyT5 {
  /** As Hugging Face writes it, with keys that an encoder does not need. */
  public static final String CONFIG =
      """
      {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 128, "d_kv": 4,
       "num_heads": 2, "d_ff": 32, "num_layers": 2, "num_decoder_layers": 2, "vocab_size": 500,
       "feed_forward_proj": "gated-gelu", "dropout_rate": 0.1, "eos_token_id": 1, "pad_token_id": 0}
      """;

  private TinyT5() {}

  static T5Config config() {
    return config(CONFIG);
  }

  static T5Config config(String json) {
    return T5Config.parse(JsonFields.of("config.json", StrictJson.object("config.json", json)));
  }

  /** The encoder's weights. */
  public static Weights weights() {
    Weights weights = new Weights("t5");
    put(weights, "shared.weight", 500, 128);
    put(weights, "encoder.final_layer_norm.weight", 128);
    String bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    put(weights, bias, 32, 2);
    for (int block = 0; block < 2; block++) {
      String layer = "encoder.block." + block + ".layer.";
      put(weights, layer + "0.layer_norm.weight", 128);
      put(weights, layer + "1.layer_norm.weight", 128);
      for (String matrix : List.of("q", "k", "v")) {
        put(weights, layer + "0.SelfAttention." + matrix + ".weight", 8, 128);
      }
      put(weights, layer + "0.SelfAttention.o.weight", 128, 8);
      put(weights, layer + "1.DenseReluDense.wi_0.weight", 32, 128);
      put(weights, layer + "1.DenseReluDense.wi_1.weight", 32, 128);
      put(weights, layer + "1.DenseReluDense.wo.weight", 128, 32);
    }
    return weights;
  }

  static void put(Weights weights, String name, long... shape) {
    try (Scope scope = Scope.open()) {
      weights.put(name, new RuleTensor(name, shape, shape.length == 1 ? 1 : 0, 0.5).generate(3));
    }
  }

  /** Copies a tokenizer fixture into a folder. */
  public static Path tokenizer(Path folder, String name) {
    try (InputStream in = TinyT5.class.getResourceAsStream(name)) {
      return Files.write(folder.resolve(name), in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
