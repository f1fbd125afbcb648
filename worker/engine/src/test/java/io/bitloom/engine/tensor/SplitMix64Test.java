package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SplitMix64Test {
  @Test
  void randomNumbersAreUniformAndBelongToSeedAndIndex() {
    float[] numbers = new SplitMix64(1, 0).next(10_000);
    double sum = 0;
    for (float number : numbers) {
      assertEquals(0.5, number, 0.5);
      sum += number;
    }
    assertEquals(0.5, sum / numbers.length, 0.02);
    SplitMix64 inParts = new SplitMix64(1, 0);
    inParts.next(9_999);
    assertEquals(numbers[9_999], inParts.next(1)[0]);
    List<Float> firsts =
        List.of(
            numbers[0],
            new SplitMix64(1, 1).next(1)[0],
            new SplitMix64(2, 0).next(1)[0],
            new SplitMix64(-1, 0).next(1)[0]);
    assertEquals(4, Set.copyOf(firsts).size());
    assertEquals(1, Collections.frequency(firsts, firsts.get(0)));
  }
}
