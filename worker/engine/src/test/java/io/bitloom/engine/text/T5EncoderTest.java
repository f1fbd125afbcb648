package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class T5EncoderTest {
  private final T5Config config = TinyT5.config();

  @Test
  void aPromptHasExactlyTheSameFeaturesAloneAndInCompany() {
    List<long[]> prompts = new ArrayList<>();
    for (int length : List.of(1, 2, 77, 5, 130, 5, 31)) {
      prompts.add(LongStream.range(0, length).map(i -> (7 * i + length) % 500).toArray());
    }
    try (Scope scope = Scope.open();
        Weights weights = TinyT5.weights();
        T5Encoder encoder = new T5Encoder(config, weights, TorchDevice.CPU, DType.F32)) {
      PackedRows together = encoder.encode(prompts);
      assertEquals(List.of(1, 2, 77, 5, 130, 5, 31), together.lengths());
      for (int i = 0; i < prompts.size(); i++) {
        float[] alone = Tensors.floats(encoder.encode(List.of(prompts.get(i))).rows());
        assertArrayEquals(alone, Tensors.floats(together.sequence(i)), "prompt " + i);
      }
    }
  }

  @Test
  void aTokenOutsideTheVocabularyIsRefused() {
    try (Scope scope = Scope.open();
        Weights weights = TinyT5.weights();
        T5Encoder encoder = new T5Encoder(config, weights, TorchDevice.CPU, DType.F32)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> encoder.encode(List.of(new long[] {3, 500, 1})))
              .getMessage();
      assertTrue(message.contains("500"), message);
      assertThrows(IllegalArgumentException.class, () -> encoder.encode(List.of(new long[0])));
    }
  }

  @Test
  void aMissingTensorIsNamed() {
    try (Weights weights = new Weights("t5.safetensors")) {
      TinyT5.put(weights, "shared.weight", 500, 128);
      String message =
          assertThrows(
                  WeightsException.class,
                  () -> new T5Encoder(config, weights, TorchDevice.CPU, DType.F32))
              .getMessage();
      assertTrue(message.contains("relative_attention_bias"), message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "gated-gelu" | "relu"   | feed_forward_proj: expected gated-gelu (T5 v1.1, Flan-T5), found relu
          "t5"         | "bert"   | model_type: expected t5 or mt5, found bert
          "d_kv": 4    | "d_kv": 0  | d_kv: expected a positive number, found 0
          "d_kv": 4    | "d_kv": 4.5 | d_kv: expected a 32-bit integer, found 4.5
          "d_kv": 4,   | ''         | d_kv is missing
          "eos_token_id": 1 | "eos_token_id": 500 | eos_token_id: expected a number below vocab_size 500
          "dropout_rate": 0.1 | "layer_norm_epsilon": "x" | layer_norm_epsilon: expected a number, found "x"
          """)
  void aConfigThatDoesNotFitIsNamedByFileKeyAndValue(String from, String to, String message) {
    String json = TinyT5.CONFIG.replace(from, to);
    String found = assertThrows(WeightsException.class, () -> TinyT5.config(json)).getMessage();
    assertTrue(found.startsWith("config.json: " + message), found);
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
