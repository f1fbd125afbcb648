package io.bitloom.coordinator.webhooks;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * When an attempt that failed is repeated.
 *
 * @param waits after the first, the second … attempt
 */
record RetrySchedule(List<Duration> waits) {

  /** Receivers may ask for more time, but not for so much that events are as good as lost. */
  private static final Duration LONGEST_ASKED = Duration.ofHours(24);

  /** So that those who failed together do not come together again. */
  private static final double JITTER = 0.2;

  /**
   * After which time to try again.
   *
   * @param tries failed attempts, at least 1
   * @param asked by the receiver ({@code Retry-After})
   * @return empty: not any more
   */
  Optional<Duration> after(int tries, Optional<Duration> asked, RandomGenerator random) {
    if (tries > waits.size()) {
      return Optional.empty();
    }
    double factor = 1 - JITTER + 2 * JITTER * random.nextDouble();
    Duration own = Duration.ofMillis(Math.round(waits.get(tries - 1).toMillis() * factor));
    Duration least = asked.orElse(Duration.ZERO);
    Duration bounded = least.compareTo(LONGEST_ASKED) > 0 ? LONGEST_ASKED : least;
    return Optional.of(own.compareTo(bounded) > 0 ? own : bounded);
  }
}
