package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BusyTimeTest {

  private final BusyTime busy = new BusyTime();

  @Test
  void whatGoesOnCountsBeforeItEnds() {
    assertEquals(0, busy.seconds());
    busy.begin();
    assertTimeoutPreemptively(
        Duration.ofMinutes(1),
        () -> {
          while (busy.seconds() == 0) {
            Thread.onSpinWait();
          }
        });
  }

  @Test
  void nothingCountsAfterItsEndAndNothingIsForgotten() {
    busy.begin();
    busy.end();
    double first = busy.seconds();
    assertEquals(first, busy.seconds());
    busy.begin();
    busy.end();
    assertTrue(busy.seconds() >= first);
  }
}
