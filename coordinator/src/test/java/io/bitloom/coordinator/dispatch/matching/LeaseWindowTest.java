package io.bitloom.coordinator.dispatch.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;

class LeaseWindowTest {

  private final LeaseWindow window = new LeaseWindow();

  /** Asks for as many leases as may be asked for; returns how many these were. */
  private int fill() {
    int asked = 0;
    while (window.open()) {
      window.asked();
      asked++;
    }
    return asked;
  }

  /** Answers leases one after the other, each of which is followed by as many as may be. */
  private int round(int leases) {
    int asked = 0;
    for (int i = 0; i < leases; i++) {
      window.answered(true);
      asked += fill();
    }
    return asked;
  }

  @Test
  void doublesFromRoundToRoundWhilePromptsAreLeft() {
    int asked = fill();
    assertEquals(LeaseWindow.FEW, asked);
    for (int expected = 2 * LeaseWindow.FEW; expected <= 1024; expected *= 2) {
      asked = round(asked);
      assertEquals(expected, asked);
    }
  }

  @Test
  void isSmallAgainOnceNothingIsLeft() {
    int asked = round(round(fill()));
    window.answered(false);
    for (int i = 1; i < asked; i++) {
      assertFalse(window.open() && asked - i > LeaseWindow.FEW);
      window.answered(false);
    }
    assertEquals(LeaseWindow.FEW, fill());
  }

  @Test
  void doesNotGrowAsLongAsItHoldsNobodyUp() {
    for (int i = 0; i < 100; i++) {
      window.asked();
      window.answered(true);
    }
    assertEquals(LeaseWindow.FEW, fill());
  }
}
