package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class WordEmbeddingEncoderTest {
  private static final List<String> PROMPTS =
      List.of("a red fox", "", "an owl and a red fox on a roof", "a red fox", "Ünheard of!");

  private final WordEmbeddingConfig config = new WordEmbeddingConfig(48, 2, 4, 24, 8);
  private final WordVocabulary vocabulary = WordVocabulary.ofTexts(Stream.of("a red fox"), 9);

  private Weights weights() {
    Weights weights = new Weights("text.safetensors");
    config
        .layout(vocabulary.size())
        .forEach(
            (name, shape) -> {
              try (Scope scope = Scope.open()) {
                double offset = shape.length == 1 ? 1 : 0;
                weights.put(name, new RuleTensor(name, shape, offset, 0.3).generate(5));
              }
            });
    return weights;
  }

  @Test
  void aPromptHasExactlyTheSameFeaturesAloneAndInCompany() {
    try (Scope scope = Scope.open();
        Weights weights = weights();
        WordEmbeddingEncoder encoder =
            WordEmbeddingEncoder.forInference(
                config, vocabulary, weights, TorchDevice.CPU, DType.F32)) {
      PackedRows together = encoder.encode(PROMPTS, 512);
      assertEquals(List.of(4, 1, 24, 4, 15), together.lengths());
      for (int i = 0; i < PROMPTS.size(); i++) {
        float[] alone = Tensors.floats(encoder.encode(List.of(PROMPTS.get(i)), 512).rows());
        assertArrayEquals(alone, Tensors.floats(together.sequence(i)), PROMPTS.get(i));
      }
      float[] other = Tensors.floats(encoder.encode(List.of("fox red a"), 512).rows());
      assertFalse(Arrays.equals(Tensors.floats(together.sequence(0)), other));
    }
  }

  @Test
  void biasesOfZeroChangeNothingAndOthersTellBeforeFromAfter() {
    WordEmbeddingConfig without = config.withRelativeBuckets(0);
    try (Scope scope = Scope.open();
        Weights weights = weights();
        WordEmbeddingEncoder plain =
            WordEmbeddingEncoder.forTraining(without, vocabulary, weights);
        WordEmbeddingEncoder relative =
            WordEmbeddingEncoder.forTraining(config, vocabulary, weights)) {
      float[] expected = Tensors.floats(plain.encode(PROMPTS, 512).rows());
      assertFalse(Arrays.equals(expected, Tensors.floats(relative.encode(PROMPTS, 512).rows())));
      weights.get(WordEmbeddingConfig.RELATIVE).zero_();
      assertArrayEquals(expected, Tensors.floats(relative.encode(PROMPTS, 512).rows()), 1e-5f);
    }
  }

  @Test
  void trainingSeesTheSameFeaturesAndItsGradientsReachEveryWeight() {
    try (Scope scope = Scope.open();
        Weights frozen = weights();
        Weights trained = weights();
        WordEmbeddingEncoder inference =
            WordEmbeddingEncoder.forInference(
                config, vocabulary, frozen, TorchDevice.CPU, DType.F32)) {
      trained.names().forEach(name -> trained.get(name).requires_grad_(true));
      try (WordEmbeddingEncoder training =
          WordEmbeddingEncoder.forTraining(config, vocabulary, trained)) {
        Tensor rows = training.encode(PROMPTS, 512).rows();
        assertArrayEquals(
            Tensors.floats(inference.encode(PROMPTS, 512).rows()), Tensors.floats(rows), 1e-5f);
        rows.mul(rows).mul(rows).sum().backward();
        for (String name : trained.names()) {
          assertTrue(trained.get(name).grad().abs().sum().item_float() > 0, name);
        }
      }
    }
  }

  @Test
  void aTensorOfAnotherArchitectureIsNamed() {
    try (Weights weights = weights()) {
      WordEmbeddingConfig wider = new WordEmbeddingConfig(48, 2, 4, 25, 8);
      String message =
          assertThrows(
                  WeightsException.class,
                  () -> WordEmbeddingEncoder.forTraining(wider, vocabulary, weights))
              .getMessage();
      assertTrue(
          message.contains("position.weight: expected shape [25, 48], found [24, 48]"), message);
    }
  }

  @Test
  void aConfigThatMakesNoSenseIsNamedByKeyAndValue() {
    String json = "{\"width\": 48, \"depth\": 2, \"num_heads\": 4, \"max_length\": 24}";
    assertEquals(config.withRelativeBuckets(0), parse(json));
    assertEquals(config, parse(json.replace("24}", "24, \"relative_buckets\": 8}")));
    assertRefused(
        json.replace("24}", "24, \"relative_buckets\": 7}"), "relative_buckets: expected 0, or");
    assertRefused(json.replace("4,", "5,"), "num_heads: expected a divisor of width 48, found 5");
    assertRefused(json.replace("2,", "-1,"), "depth: expected 0 to 128, found -1");
    assertRefused(json.replace("depth", "layers"), "layers is not known");
  }

  private static WordEmbeddingConfig parse(String json) {
    return WordEmbeddingConfig.parse(JsonFields.of("model.json", StrictJson.object("", json)));
  }

  private static void assertRefused(String json, String message) {
    String found = assertThrows(WeightsException.class, () -> parse(json)).getMessage();
    assertTrue(found.startsWith("model.json: " + message), found);
  }
}
