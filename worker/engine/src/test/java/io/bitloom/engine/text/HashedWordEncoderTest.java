package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class HashedWordEncoderTest {
  private final HashedWordEncoder encoder = new HashedWordEncoder(16);

  @Test
  void wordsAndAnEndMarkBecomeRows() {
    try (Scope scope = Scope.open()) {
      PackedRows features = encoder.encode(List.of("A red fox, running!", ""), 77);
      assertEquals(List.of(5, 1), features.lengths());
      assertEquals(16, features.channels());
    }
  }

  @Test
  void aPromptHasTheSameFeaturesInAnyCompany() {
    try (Scope scope = Scope.open()) {
      PackedRows alone = encoder.encode(List.of("a red fox"), 77);
      PackedRows together = encoder.encode(List.of("two blue dogs", "A RED FOX"), 77);
      assertArrayEquals(
          Tensors.floats(alone.rows()), Tensors.floats(together.sequence(1).contiguous()));
      float[] other = Tensors.floats(together.sequence(0).contiguous());
      assertFalse(Arrays.equals(Tensors.floats(alone.rows()), other));
    }
  }

  @Test
  void theOrderOfWordsMatters() {
    try (Scope scope = Scope.open()) {
      float[] one = Tensors.floats(encoder.encode(List.of("dog bites man"), 77).rows());
      float[] other = Tensors.floats(encoder.encode(List.of("man bites dog"), 77).rows());
      assertFalse(Arrays.equals(one, other));
    }
  }

  @Test
  void aLongPromptIsCut() {
    try (Scope scope = Scope.open()) {
      assertEquals(List.of(3), encoder.encode(List.of("one two three four"), 3).lengths());
    }
  }
}
