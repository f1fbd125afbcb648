package io.bitloom.coordinator.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ReportIntervalTest {

  private final ReportInterval interval = new ReportInterval();

  @Test
  void aTurnIsAskedForUntilHalfAnIntervalAfterTheNextScrape() {
    assertEquals(Duration.ofSeconds(60), scrapedAt(0));
    assertEquals(Duration.ofMillis(22_500), scrapedAt(15));
    assertEquals(Duration.ofMillis(22_500), scrapedAt(30));
  }

  @Test
  void whoLooksByHandDoesNotMakeTheTurnShorter() {
    scrapedAt(0);
    scrapedAt(30);
    scrapedAt(31);
    assertEquals(Duration.ofSeconds(45), scrapedAt(60));
    assertEquals(Duration.ofSeconds(45), scrapedAt(90));
  }

  @Test
  void aNewIntervalIsFollowed() {
    for (int i = 0; i <= 4; i++) {
      scrapedAt(60 * i);
    }
    for (int i = 1; i < 4; i++) {
      assertEquals(Duration.ofSeconds(90), scrapedAt(240 + 10 * i));
    }
    assertEquals(Duration.ofSeconds(15), scrapedAt(280));
  }

  @Test
  void aTurnIsNeitherTooShortToBeKeptNorLongerThanAnybodyWouldMissIt() {
    scrapedAt(0);
    assertEquals(Duration.ofSeconds(2), scrapedAt(1));
    assertEquals(Duration.ofMinutes(10), scrapedAt(3601));
  }

  private Duration scrapedAt(long seconds) {
    return interval.scraped(Duration.ofSeconds(seconds).toNanos());
  }
}
