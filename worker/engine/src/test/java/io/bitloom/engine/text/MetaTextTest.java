package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Transfers;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Text encoders as a GPU would have them, on tensors without memory. */
class MetaTextTest {
  private static final T5Config FLAN_T5_XL =
      new T5Config(2048, 64, 32, 5120, 24, 32128, 32, 128, 1e-6, 1);

  @Test
  void flanT5Encodes() {
    try (Weights weights = MetaWeights.of(T5Layout.of(FLAN_T5_XL));
        T5Encoder encoder = new T5Encoder(FLAN_T5_XL, weights, TorchDevice.META, DType.BF16);
        Scope scope = Scope.open()) {
      long[] shortText = LongStream.range(3, 12).toArray();
      long[] longText = LongStream.range(3, 515).toArray();
      long uploads = Transfers.ofThread().uploads();
      PackedRows rows = encoder.encode(List.of(shortText, longText, shortText));
      assertEquals(List.of(9, 512, 9), rows.lengths());
      assertEquals(2048, rows.channels());
      assertTrue(rows.rows().is_meta());
      assertEquals(2, Transfers.ofThread().uploads() - uploads, "ids and buckets");
    }
  }

  @Test
  void wordEmbeddingsEncodeAndAreRemembered() {
    WordEmbeddingConfig config = new WordEmbeddingConfig(48, 2, 4, 24, 8);
    WordVocabulary vocabulary = WordVocabulary.ofTexts(Stream.of("a red fox"), 9);
    try (Weights weights = MetaWeights.of(config.layout(vocabulary.size()));
        TextEncoder encoder =
            new CachedTextEncoder(
                WordEmbeddingEncoder.forInference(
                    config, vocabulary, weights, TorchDevice.META, DType.BF16),
                1 << 20);
        Scope scope = Scope.open()) {
      PackedRows rows = encoder.encode(List.of("a red fox", "", "a fox"), 512);
      assertEquals(List.of(4, 1, 3), rows.lengths());
      assertTrue(rows.rows().is_meta());
      long uploads = Transfers.ofThread().uploads();
      assertTrue(encoder.encode(List.of("", "a fox"), 512).rows().is_meta());
      assertEquals(uploads, Transfers.ofThread().uploads());
    }
  }
}
