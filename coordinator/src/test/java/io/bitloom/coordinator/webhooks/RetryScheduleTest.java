package io.bitloom.coordinator.webhooks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.config.WebhookConfig;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RetryScheduleTest {

  private final Random random = new Random(1);
  private final RetrySchedule schedule =
      new RetrySchedule(List.of(Duration.ofSeconds(5), Duration.ofMinutes(5)));

  @Test
  void waitsGrowAndVaryByAFifth() {
    for (int k = 0; k < 1000; k++) {
      assertBetween(4, 6, schedule.after(1, Optional.empty(), random).get());
      assertBetween(240, 360, schedule.after(2, Optional.empty(), random).get());
    }
  }

  @Test
  void afterTheLastWaitThereIsNoAttempt() {
    assertEquals(Optional.empty(), schedule.after(3, Optional.empty(), random));
    assertEquals(Optional.empty(), schedule.after(3, Optional.of(Duration.ofSeconds(1)), random));
  }

  @Test
  void aReceiverMayAskForMoreTimeButNotForLessOrForEver() {
    assertEquals(
        Duration.ofMinutes(1), schedule.after(1, Optional.of(Duration.ofMinutes(1)), random).get());
    assertBetween(4, 6, schedule.after(1, Optional.of(Duration.ZERO), random).get());
    assertEquals(
        Duration.ofHours(24), schedule.after(1, Optional.of(Duration.ofDays(400)), random).get());
  }

  @Test
  void whatAReceiverAsksForIsReadAsSecondsOrAsADate() {
    assertEquals(Optional.of(Duration.ofSeconds(120)), WebhookSender.retryAfter(" 120 "));
    assertEquals(
        Optional.of(Duration.ZERO), WebhookSender.retryAfter("Wed, 21 Oct 2015 07:28:00 GMT"));
    for (String bad : new String[] {null, "", "-1", "soon", "99999999999"}) {
      assertEquals(Optional.empty(), WebhookSender.retryAfter(bad));
    }
  }

  @Test
  void byDefaultAnEventIsTriedForAboutThreeDays() {
    Duration all = WebhookConfig.DEFAULTS.retries().stream().reduce(Duration.ZERO, Duration::plus);
    assertBetween(3 * 86_400, 4 * 86_400, all);
  }

  private static void assertBetween(long least, long most, Duration wait) {
    assertTrue(
        wait.compareTo(Duration.ofSeconds(least)) >= 0
            && wait.compareTo(Duration.ofSeconds(most)) <= 0,
        wait::toString);
  }
}
