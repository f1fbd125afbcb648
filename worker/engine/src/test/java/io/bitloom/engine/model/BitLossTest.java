package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BitLossTest {
  private static final List<Scale> SCALES = List.of(new Scale(1, 1), new Scale(2, 2));

  @Test
  void aBitCostsTheLogarithmOfItsProbability() {
    try (Scope scope = Scope.open()) {
      float ln3 = (float) Math.log(3);
      var logits = Tensors.of(new float[] {0, ln3, 0, ln3}, 1, 1, 4);
      var bits = Tensors.of(new byte[] {1, 0}, 1, 1, 2);
      assertArrayEquals(
          new float[] {(float) -Math.log(0.75), (float) -Math.log(0.25)},
          Tensors.floats(BitLoss.perBit(logits, bits)),
          1e-6f);
    }
  }

  @Test
  void everyScaleWeighsLikeItsSide() {
    double[] weights = BitLoss.reweighted(SCALES);
    assertEquals(1, Arrays.stream(weights).sum(), 1e-12);
    assertEquals(2, weights[0] / weights[4], 1e-12);
    assertArrayEquals(new double[] {0.2, 0.2, 0.2, 0.2, 0.2}, BitLoss.uniform(SCALES));
  }

  @Test
  void aBitWeighsByItsMarginAgainstTheMeanOfItsScaleAndImage() {
    try (Scope scope = Scope.open()) {
      float[] margins = {1, 3, 2, 2, 2, 2, 0, 4, 2, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 5};
      assertArrayEquals(
          new float[] {
            0.5f, 1.5f, 1, 1, 1, 1, 0, 2, 1, 1, 0, 0, 2 / 3f, 2 / 3f, 2 / 3f, 2 / 3f, 2 / 3f,
            2 / 3f, 2 / 3f, 10 / 3f
          },
          Tensors.floats(BitLoss.byMargin(Tensors.of(margins, 2, 5, 2), SCALES)),
          1e-6f);
    }
  }

  @Test
  void theLossIsAWeightedSumOverTokensAndAMeanOverImages() {
    try (Scope scope = Scope.open()) {
      var perToken = Tensors.of(new float[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 3}, 2, 5);
      assertEquals(0.4, Tensors.doubles(BitLoss.total(perToken, BitLoss.uniform(SCALES)))[0], 1e-6);
    }
  }
}
