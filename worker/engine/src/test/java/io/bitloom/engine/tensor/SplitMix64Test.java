package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.cpu.CpuKernels;
import io.bitloom.engine.tensor.cuda.CudaKernels;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class SplitMix64Test {
  private static final long[] EXTREMES = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32};

  private static float first(long seed, int index) {
    return SplitMix64.uniform(SplitMix64.start(seed, index), 1)[0];
  }

  @Test
  void randomNumbersAreUniformAndBelongToSeedAndIndex() {
    float[] numbers = SplitMix64.uniform(SplitMix64.start(1, 0), 10_000);
    double sum = 0;
    for (float number : numbers) {
      assertEquals(0.5, number, 0.5);
      sum += number;
    }
    assertEquals(0.5, sum / numbers.length, 0.02);
    List<Float> firsts = List.of(first(1, 0), first(1, 1), first(2, 0), first(-1, 0));
    assertEquals(4, firsts.stream().distinct().count());
  }

  /** Java's splittable generator, which it begins with, is the same function of a counter. */
  @Test
  void theNumbersAreThoseOfTheAlgorithm() {
    for (long start : EXTREMES) {
      SplittableRandom reference = new SplittableRandom(start);
      for (float number : SplitMix64.uniform(start, 1000)) {
        assertEquals((reference.nextLong() >>> 40) * 0x1p-24f, number);
      }
    }
  }

  @Test
  void devicesComputeTheNumbersOfTheHost() {
    compare(1_000_000, SplitMix64.start(7, 3), Long.MIN_VALUE);
    Random random = new Random(9);
    long[] seeds = LongStream.concat(LongStream.of(EXTREMES), random.longs(50)).toArray();
    for (int index : new int[] {0, 1, 99, Integer.MAX_VALUE}) {
      compare(1000, Arrays.stream(seeds).map(seed -> SplitMix64.start(seed, index)).toArray());
    }
    compare(1000, seeds);
    compare(1, seeds);
  }

  private static void compare(int count, long... starts) {
    try (Scope scope = Scope.open()) {
      Tensor startsB1 = Tensors.of(starts, starts.length, 1);
      Tensor onDevice = new CudaKernels().uniform(startsB1, count);
      Tensor onHost = new CpuKernels().uniform(startsB1, count);
      for (int i = 0; i < starts.length; i++) {
        float[] expected = SplitMix64.uniform(starts[i], count);
        assertArrayEquals(expected, Tensors.floats(onDevice.select(0, i)));
        assertArrayEquals(expected, Tensors.floats(onHost.select(0, i)));
      }
    }
  }
}
