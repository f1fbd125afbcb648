package io.bitloom.training.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.WordEmbeddingConfig;
import io.bitloom.engine.text.WordVocabulary;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class JointTextTest {
  private static final WordEmbeddingConfig CONFIG = new WordEmbeddingConfig(32, 2, 4, 64, 128);

  private final JointText text =
      new JointText(CONFIG, WordVocabulary.ofTexts(Stream.of("a red fox"), 9));

  private static float[] values(Weights weights, String name) {
    return Tensors.floats(weights.get(name));
  }

  @Test
  void everyHeadPrefersDistancesOfItsOwnFromTheStart() {
    try (Weights weights = new Weights("first")) {
      text.addTo(weights, 1);
      float[] biases = values(weights.at(JointText.PREFIX), WordEmbeddingConfig.RELATIVE);
      double squares =
          IntStream.range(0, biases.length).mapToDouble(i -> biases[i] * biases[i]).sum();
      assertEquals(3, Math.sqrt(squares / biases.length), 0.3);
    }
  }

  @Test
  void newAttentionKeepsWhatWordsMeanAndForgetsWhatTheyLookAt() {
    try (Weights learnt = new Weights("learnt");
        Weights same = new Weights("same");
        Weights anew = new Weights("anew")) {
      text.addTo(learnt, 1);
      text.addTo(same, learnt.at(JointText.PREFIX), false, 2);
      text.addTo(anew, learnt.at(JointText.PREFIX), true, 2);
      for (String name : learnt.names()) {
        float[] before = values(learnt, name);
        assertArrayEquals(before, values(same, name), name);
        boolean looks = name.endsWith(WordEmbeddingConfig.RELATIVE) || name.endsWith("qkv.weight");
        assertEquals(looks, !Arrays.equals(before, values(anew, name)), name);
      }
    }
  }
}
