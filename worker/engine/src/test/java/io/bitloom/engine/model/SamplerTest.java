package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static ImageSampling sampling(int topK, double topP) {
    return new ImageSampling(11, 0, List.of(1.0), Set.of(), List.of(1.0), topK, topP);
  }

  private static Sampler sampler(ImageSampling image, int tokens, InfinityConfig config) {
    return new Sampler(List.of(image), tokens, config, TorchDevice.CPU);
  }

  /** Draws the same bit from one pair of logits often; the fraction of ones. */
  private static double ones(double probability, ImageSampling image) {
    int count = 20_000;
    InfinityConfig config = TinyInfinity.config(count, "");
    float[] logits = new float[2 * count];
    for (int i = 0; i < count; i++) {
      logits[2 * i + 1] = (float) Math.log(probability / (1 - probability));
    }
    try (Scope scope = Scope.open()) {
      Tensor bits = sampler(image, 1, config).draw(Tensors.of(logits, 1, 1, 2 * count));
      return Tensors.doubles(bits.sum())[0] / count;
    }
  }

  @Test
  void bitsAreDrawnWithTheirProbability() {
    double deviation = 4 * Math.sqrt(0.3 * 0.7 / 20_000);
    assertEquals(0.3, ones(0.3, sampling(0, 0)), deviation);
    assertEquals(0.05, ones(0.05, sampling(900, 0.97)), deviation);
  }

  @Test
  void topPLeavesOutUnlikelyStates() {
    assertEquals(0, ones(0.029, sampling(0, 0.97)));
    assertEquals(1, ones(0.971, sampling(0, 0.97)));
  }

  @Test
  void greedyTakesTheLikelierState() {
    assertEquals(0, ones(0.49, sampling(1, 0)));
    assertEquals(1, ones(0.51, sampling(1, 0)));
  }

  @Test
  void anIndexBecomesBitsWithTheMostSignificantFirst() {
    InfinityConfig config = TinyInfinity.config(3, "\"use_bit_label\": 0");
    float[] logits = new float[8];
    logits[6] = 5;
    try (Scope scope = Scope.open()) {
      Tensor bits = sampler(sampling(1, 0), 1, config).draw(Tensors.of(logits, 1, 1, 8));
      assertArrayEquals(new long[] {1, 1, 0}, Tensors.longs(bits));
    }
  }

  @Test
  void statesThatAreLeftOutAreNeverDrawnFromManyEither() {
    int rows = 2_000;
    InfinityConfig config = TinyInfinity.config(3, "\"use_bit_label\": 0");
    float[] logits = new float[8 * rows];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(new float[] {0, 3, 2, 0, 0, 1, 0, 0}, 0, logits, 8 * row, 8);
    }
    try (Scope scope = Scope.open()) {
      Sampler sampler = sampler(sampling(2, 0), rows, config);
      long[] bits = Tensors.longs(sampler.draw(Tensors.of(logits, 1, rows, 8)));
      long[] counts = new long[8];
      for (int row = 0; row < rows; row++) {
        counts[(int) (4 * bits[3 * row] + 2 * bits[3 * row + 1] + bits[3 * row + 2])]++;
      }
      assertEquals(rows, counts[1] + counts[2]);
      assertEquals(1 / (1 + Math.exp(-1)), (double) counts[1] / rows, 0.05);
    }
  }
}
