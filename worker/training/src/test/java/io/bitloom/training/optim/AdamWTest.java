package io.bitloom.training.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class AdamWTest {
  private static final AdamW.Settings SETTINGS = new AdamW.Settings(0.9, 0.97, 1e-8, 0.1);

  private static Weights matrixAndBias() {
    Weights weights = new Weights("test");
    try (Scope scope = Scope.open()) {
      weights.put("layer.weight", Tensors.of(new float[] {1, -2, 3, 4}, 2, 2).requires_grad_(true));
      weights.put("layer.bias", Tensors.of(new float[] {1, 2}, 2).requires_grad_(true));
    }
    return weights;
  }

  private static void squaredNormBackwards(Weights weights) {
    try (Scope scope = Scope.open()) {
      weights.get("layer.weight").square().sum().backward();
    }
  }

  @Test
  void theFirstStepGoesAgainstTheSignOfTheGradientAndDecaysMatricesOnly() {
    try (Weights weights = matrixAndBias();
        AdamW optimizer = new AdamW(weights, SETTINGS)) {
      squaredNormBackwards(weights);
      optimizer.step(0.01);
      float decayed = 1 - 0.01f * 0.1f;
      assertArrayEquals(
          new float[] {
            decayed - 0.01f, -2 * decayed + 0.01f, 3 * decayed - 0.01f, 4 * decayed - 0.01f
          },
          Tensors.floats(weights.get("layer.weight")),
          1e-6f);
      assertArrayEquals(new float[] {1, 2}, Tensors.floats(weights.get("layer.bias")));
    }
  }

  @Test
  void aRestoredOptimizerTakesTheSameNextStep() {
    try (Weights first = matrixAndBias();
        Weights second = matrixAndBias();
        AdamW optimizer = new AdamW(first, SETTINGS);
        AdamW restored = new AdamW(second, SETTINGS)) {
      squaredNormBackwards(first);
      optimizer.step(0.01);
      try (Scope scope = Scope.open();
          NoGradGuard guard = new NoGradGuard()) {
        second.get("layer.weight").copy_(first.get("layer.weight"));
      }
      restored.restore(optimizer.state(), optimizer.steps());
      for (Weights weights : new Weights[] {first, second}) {
        new Gradients(weights).zero();
        squaredNormBackwards(weights);
      }
      optimizer.step(0.01);
      restored.step(0.01);
      assertArrayEquals(
          Tensors.floats(first.get("layer.weight")), Tensors.floats(second.get("layer.weight")));
    }
  }

  @Test
  void clippingScalesAllGradientsToTheLimitAndTellsTheNormBefore() {
    try (Weights weights = matrixAndBias()) {
      squaredNormBackwards(weights);
      Gradients gradients = new Gradients(weights);
      assertEquals(2 * Math.sqrt(30), gradients.clip(1), 1e-6);
      assertEquals(1, Gradients.globalNorm(gradients.norms()), 1e-5);
    }
  }

  @Test
  void embeddingsGatesAndVectorsAreSparedFromDecay() {
    Tensor matrix = Tensors.of(new float[4], 2, 2);
    Tensor vector = Tensors.of(new float[4], 4);
    assertTrue(ParameterGroups.decays("block_chunks.0.module.0.ca.mat_q.weight", matrix));
    assertTrue(ParameterGroups.decays("head.weight", matrix));
    assertFalse(ParameterGroups.decays("text_proj_for_sos.ca.mat_q", matrix));
    assertFalse(ParameterGroups.decays("lvl_embed.weight", matrix));
    assertFalse(ParameterGroups.decays("text_norm.weight", vector));
  }

  @Test
  void theMovingAverageFollowsTheWeightsQuicklyAtFirst() {
    try (Weights weights = matrixAndBias();
        MovingAverage average = new MovingAverage(weights, 0.999)) {
      try (Scope scope = Scope.open();
          NoGradGuard guard = new NoGradGuard()) {
        weights.get("layer.bias").zero_();
      }
      average.update(0);
      assertArrayEquals(
          new float[] {0.1f, 0.2f}, Tensors.floats(average.average().get("layer.bias")), 1e-6f);
    }
  }

  /** What a GPU does for all parameters at once, which libtorch can do on CPUs as well. */
  @Test
  void theFusedStepIsTheSameWithinRounding() {
    try (Weights own = matrixAndBias();
        Weights fused = matrixAndBias();
        AdamW stepByStep = new AdamW(own, SETTINGS, name -> true, false);
        AdamW together = new AdamW(fused, SETTINGS, name -> true, true)) {
      for (int step = 0; step < 20; step++) { // the bias has no gradient, and stays
        for (Weights weights : List.of(own, fused)) {
          new Gradients(weights).zero();
          squaredNormBackwards(weights);
        }
        stepByStep.step(0.05);
        together.step(0.05);
      }
      assertEquals(stepByStep.state().names(), together.state().names());
      assertEquals(stepByStep.steps(), together.steps());
      long before = fused.get("layer.weight")._version();
      together.step(0.05);
      assertTrue(fused.get("layer.weight")._version() > before, "a change that nobody sees");
      stepByStep.step(0.05);
      for (String name : own.names()) {
        assertClose(own.get(name).detach(), fused.get(name).detach());
      }
      for (String name : together.state().names()) {
        assertClose(stepByStep.state().get(name), together.state().get(name));
      }
      assertFalse(
          Arrays.equals(
              Tensors.floats(fused.get("layer.weight").detach()), new float[] {1, -2, 3, 4}));
    }
  }

  private static void assertClose(Tensor expected, Tensor found) {
    assertArrayEquals(Tensors.floats(expected), Tensors.floats(found), 1e-5f);
  }

  @Test
  void operatorsOnListsDoWhatTheyDoOneByOne() {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      Tensor row = Tensors.of(new float[] {3, -4}, 2);
      Tensor matrix = Tensors.of(new float[] {1, 2, 2, 4}, 2, 2);
      List<Tensor> both = List.of(row, matrix);
      assertArrayEquals(new double[] {5, 5}, Tensors.doubles(Foreach.norms(both)), 1e-12);
      Foreach.lerp(both, List.of(row.neg(), matrix.mul(matrix)), 0.25);
      assertArrayEquals(new float[] {1.5f, -2}, Tensors.floats(row));
      assertArrayEquals(new float[] {1, 2.5f, 2.5f, 7}, Tensors.floats(matrix));
      Foreach.multiply(both, 2);
      assertArrayEquals(new float[] {3, -4}, Tensors.floats(row));
      Foreach.zero(both);
      assertArrayEquals(new float[4], Tensors.floats(matrix));
    }
  }
}
