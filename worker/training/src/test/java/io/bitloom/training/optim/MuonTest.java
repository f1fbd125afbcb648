package io.bitloom.training.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.distributed.Processes;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class MuonTest {
  private static final AdamW.Settings ADAMW = new AdamW.Settings(0.9, 0.97, 1e-8, 0);
  private static final double RATE = 0.01;
  private static final double RATIO = 10;

  private static final String SQUARE = "block_chunks.0.module.1.sa.proj.weight";
  private static final String TALL = "blocks.0.ffn.fc1.weight";
  private static final String WIDE = "blocks.0.ffn.fc2.weight";
  private static final String STACKED = "blocks.0.sa.mat_qkv.weight";
  private static final String HEAD = "head.weight";
  private static final String BIAS = "blocks.0.ffn.fc1.bias";

  private static Weights layers() {
    Weights weights = new Weights("test");
    put(weights, SQUARE, 8, 8);
    put(weights, TALL, 16, 4);
    put(weights, WIDE, 4, 16);
    put(weights, STACKED, 24, 8);
    put(weights, HEAD, 6, 6);
    put(weights, BIAS, 16);
    return weights;
  }

  private static void put(Weights weights, String name, long... shape) {
    SplittableRandom random = new SplittableRandom(name.hashCode());
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    float[] values = new float[(int) count];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextDouble() - 0.5);
    }
    try (Scope scope = Scope.open()) {
      weights.put(name, Tensors.of(values, shape).requires_grad_(true));
    }
  }

  /** Gradients whose singular values differ by far: those of the sum of the weights' cubes. */
  private static void backwards(Weights weights) {
    new Gradients(weights).zero();
    try (Scope scope = Scope.open()) {
      for (String name : weights.names()) {
        Tensor tensor = weights.get(name);
        tensor.square().mul(tensor).sum().backward();
      }
    }
  }

  /** By how much a step changes a matrix, in units of its learning rate. */
  private static float[] singularValues(String name, long first, long rows) {
    try (Scope scope = Scope.open();
        Weights weights = layers();
        Muon optimizer = optimizer(weights)) {
      Tensor before = weights.get(name).detach().clone();
      backwards(weights);
      optimizer.step(RATE);
      Tensor change = weights.get(name).detach().sub(before).narrow(0, first, rows);
      return Tensors.floats(Tensors.times(torch.linalg_svdvals(change), 1 / (RATE * RATIO)));
    }
  }

  private static Muon optimizer(Weights weights) {
    return new Muon(weights, new Muon.Settings(RATIO, 0.95), ADAMW, Processes.alone());
  }

  @Test
  void aMatrixMovesEquallyFarInAllDirections() {
    assertAll(singularValues(SQUARE, 0, 8), 1);
    assertAll(singularValues(WIDE, 0, 4), 1);
  }

  @Test
  void aMatrixWithMoreOutputsThanInputsMovesFarther() {
    assertAll(singularValues(TALL, 0, 16), 2);
  }

  @Test
  void queriesKeysAndValuesMoveEachOnTheirOwn() {
    for (int part = 0; part < 3; part++) {
      assertAll(singularValues(STACKED, 8 * part, 8), 1);
    }
  }

  /** Five iterations bring all singular values between 0.68 and 1.13 (Jordan, 2024). */
  private static void assertAll(float[] singularValues, double scale) {
    for (float value : singularValues) {
      assertTrue(value > 0.6 * scale && value < 1.2 * scale, value + " of " + scale);
    }
  }

  @Test
  void whatIsNoMatrixOfABlockIsLeftToAdamW() {
    try (Weights weights = layers();
        Weights same = layers();
        Muon optimizer = optimizer(weights);
        AdamW adamW = new AdamW(same, ADAMW)) {
      backwards(weights);
      backwards(same);
      optimizer.step(RATE);
      adamW.step(RATE);
      for (String name : new String[] {HEAD, BIAS}) {
        assertArrayEquals(Tensors.floats(same.get(name)), Tensors.floats(weights.get(name)), name);
      }
    }
  }

  @Test
  void aRestoredOptimizerTakesTheSameNextStep() {
    try (Weights first = layers();
        Weights second = layers();
        Muon optimizer = optimizer(first);
        Muon restored = optimizer(second)) {
      backwards(first);
      optimizer.step(RATE);
      try (NoGradGuard noGradients = new NoGradGuard()) {
        for (String name : first.names()) {
          second.get(name).copy_(first.get(name));
        }
      }
      restored.restore(optimizer.state(), optimizer.steps());
      backwards(first);
      backwards(second);
      optimizer.step(RATE);
      restored.step(RATE);
      for (String name : first.names()) {
        assertArrayEquals(Tensors.floats(first.get(name)), Tensors.floats(second.get(name)), name);
      }
    }
  }
}
