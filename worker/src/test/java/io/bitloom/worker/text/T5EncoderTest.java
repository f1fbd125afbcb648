package io.bitloom.worker.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.worker.checkpoint.RuleTensor;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.PackedRows;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class T5EncoderTest {
  private static final String CONFIG =
      """
      {"d_model": 16, "d_kv": 4, "num_heads": 2, "d_ff": 32, "num_layers": 2, "vocab_size": 50,
       "feed_forward_proj": "gated-gelu"}
      """;

  private final T5Config config = T5Config.parse(json(CONFIG));

  private static JsonObject json(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }

  private static Weights weights() {
    Weights weights = new Weights("t5");
    put(weights, "shared.weight", 50, 16);
    put(weights, "encoder.final_layer_norm.weight", 16);
    String bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    put(weights, bias, 32, 2);
    for (int block = 0; block < 2; block++) {
      String layer = "encoder.block." + block + ".layer.";
      put(weights, layer + "0.layer_norm.weight", 16);
      put(weights, layer + "1.layer_norm.weight", 16);
      for (String matrix : List.of("q", "k", "v")) {
        put(weights, layer + "0.SelfAttention." + matrix + ".weight", 8, 16);
      }
      put(weights, layer + "0.SelfAttention.o.weight", 16, 8);
      put(weights, layer + "1.DenseReluDense.wi_0.weight", 32, 16);
      put(weights, layer + "1.DenseReluDense.wi_1.weight", 32, 16);
      put(weights, layer + "1.DenseReluDense.wo.weight", 16, 32);
    }
    return weights;
  }

  private static void put(Weights weights, String name, long... shape) {
    try (Scope scope = Scope.open()) {
      weights.put(name, new RuleTensor(name, shape, shape.length == 1 ? 1 : 0, 0.5).generate(3));
    }
  }

  @Test
  void aPromptHasTheSameFeaturesAloneInCompanyAndPadded() {
    try (Scope scope = Scope.open();
        Weights weights = weights();
        T5Encoder encoder = new T5Encoder(config, weights, TorchDevice.CPU, DType.F32)) {
      PackedRows together = encoder.encode(List.of(new long[] {7, 8, 9, 1}, new long[] {3, 1}));
      assertEquals(List.of(4, 2), together.lengths());
      float[] alone = Tensors.floats(encoder.encode(List.of(new long[] {3, 1})).rows());
      assertArrayEquals(alone, Tensors.floats(together.sequence(1)));
      Tensor ids = Tensors.of(new long[] {3, 1, 0, 0}, 1, 4);
      Tensor mask = Tensors.of(new long[] {1, 1, 0, 0}, 1, 4);
      Tensor padded = encoder.forward(ids, mask, (output, block) -> {});
      assertArrayEquals(alone, Tensors.floats(padded.select(0, 0).narrow(0, 0, 2)), 1e-5f);
    }
  }

  @Test
  void aTokenOutsideTheVocabularyIsRefused() {
    try (Scope scope = Scope.open();
        Weights weights = weights();
        T5Encoder encoder = new T5Encoder(config, weights, TorchDevice.CPU, DType.F32)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> encoder.encode(List.of(new long[] {3, 50, 1})))
              .getMessage();
      assertTrue(message.contains("50"), message);
      assertThrows(IllegalArgumentException.class, () -> encoder.encode(List.of(new long[0])));
    }
  }

  @Test
  void aMissingTensorIsNamed() {
    try (Weights weights = new Weights("t5.safetensors")) {
      put(weights, "shared.weight", 50, 16);
      String message =
          assertThrows(
                  WeightsException.class,
                  () -> new T5Encoder(config, weights, TorchDevice.CPU, DType.F32))
              .getMessage();
      assertTrue(message.contains("relative_attention_bias"), message);
    }
  }

  @Test
  void anotherFeedForwardLayerIsRefused() {
    String relu = CONFIG.replace("gated-gelu", "relu");
    String message =
        assertThrows(IllegalArgumentException.class, () -> T5Config.parse(json(relu))).getMessage();
    assertTrue(message.startsWith("feed_forward_proj: "), message);
  }

  @Test
  void farPositionsShareBuckets() {
    assertEquals(0, RelativePositions.bucket(0, 32, 128));
    assertEquals(7, RelativePositions.bucket(-7, 32, 128));
    assertEquals(16 + 7, RelativePositions.bucket(7, 32, 128));
    assertEquals(10, RelativePositions.bucket(-16, 32, 128));
    assertEquals(15, RelativePositions.bucket(-128, 32, 128));
    assertEquals(31, RelativePositions.bucket(1_000_000, 32, 128));
  }
}
