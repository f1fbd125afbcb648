package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class UnconditionalTextTest {
  @Test
  void aLongerOneIsCroppedAndAShorterOneIsPaddedWithInitialValues() {
    try (Scope scope = Scope.open()) {
      Tensor learned = Tensors.of(new float[] {1, 2, 3, 4}, 2, 2);
      assertArrayEquals(new float[] {1, 2}, Tensors.floats(UnconditionalText.ofLength(learned, 1)));
      float[] padded = Tensors.floats(UnconditionalText.ofLength(learned, 3));
      float[] initial = Tensors.floats(UnconditionalText.initial(3, 2));
      assertArrayEquals(new float[] {1, 2, 3, 4, initial[4], initial[5]}, padded);
    }
  }

  @Test
  void initialValuesAreNormalWithTheTailsCutOff() {
    try (Scope scope = Scope.open()) {
      int channels = 64;
      float[] values = Tensors.floats(UnconditionalText.initial(512, channels));
      double squares = 0;
      for (float value : values) {
        assertTrue(Math.abs(value) <= 2 / Math.sqrt(channels));
        squares += value * value * channels;
      }
      // Variance of N(0, 1.2²) cut off at ±2: 1.44·(1 − 2aφ(a)/(2Φ(a) − 1)) with a = 2/1.2.
      assertEquals(0.912, squares / values.length, 0.02);
    }
  }
}
