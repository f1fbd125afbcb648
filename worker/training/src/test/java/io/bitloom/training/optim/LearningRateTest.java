package io.bitloom.training.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.training.optim.LearningRate.Shape;
import org.junit.jupiter.api.Test;

class LearningRateTest {
  @Test
  void itRisesInAStraightLineDuringTheWarmUp() {
    LearningRate rate = new LearningRate(2, Shape.CONSTANT, 10, 0.5, 1);
    assertEquals(1, rate.at(0, 100));
    assertEquals(1.5, rate.at(5, 100), 1e-12);
    assertEquals(2, rate.at(10, 100));
    assertEquals(2, rate.at(99, 100));
  }

  @Test
  void linearStaysAtThePeakForATwentiethAndEndsAtItsLastFraction() {
    LearningRate rate = new LearningRate(1, Shape.LINEAR, 0, 0, 0.1);
    assertEquals(1, rate.at(4, 101));
    assertEquals(0.1 + 0.9 * 0.5 / 0.95, rate.at(50, 101), 1e-12);
    assertEquals(0.1, rate.at(100, 101), 1e-12);
  }

  @Test
  void cosineIsHalfWayDownInTheMiddle() {
    LearningRate rate = new LearningRate(1, Shape.COSINE, 0, 0, 0.2);
    assertEquals(1, rate.at(0, 101), 1e-12);
    assertEquals(0.6, rate.at(50, 101), 1e-12);
    assertEquals(0.2, rate.at(100, 101), 1e-12);
    assertEquals(0.2, rate.at(500, 101), 1e-12);
  }

  @Test
  void aFractionAboveOneIsRefusedByName() {
    Exception fault =
        assertThrows(
            IllegalArgumentException.class, () -> new LearningRate(1, Shape.COSINE, 0, 0, 1.5));
    assertEquals("end: expected 0 to 1, got 1.5", fault.getMessage());
  }
}
