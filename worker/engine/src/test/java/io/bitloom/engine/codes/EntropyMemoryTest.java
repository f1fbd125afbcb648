package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class EntropyMemoryTest {
  private static final int TOKENS = 1024;

  /** The least of three measurements: other threads of the JVM may grow meanwhile. */
  private static double mebibytes(Quantizer quantizer, int d) throws IOException {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < 3; i++) {
      least = Math.min(least, EntropyMemory.bytes(quantizer, d, TOKENS) / 1048576.0);
    }
    return least;
  }

  @Test
  void memoryOfLfqGrowsWithTheCodesAndThatOfBsqDoesNot() throws IOException {
    double few = mebibytes(new LookupFreeQuantizer(10, 1), 10);
    double many = mebibytes(new LookupFreeQuantizer(13, 1), 13);
    double binary = mebibytes(new BinarySphericalQuantizer(13, 1), 13);
    assertTrue(many > 4 * few, "LFQ: " + few + " MiB for 10 bits, " + many + " for 13");
    assertTrue(many > 8 * binary, "13 bits: " + binary + " MiB for BSQ, " + many + " for LFQ");
  }
}
