package io.bitloom.client.cluster;

import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;

/**
 * Whether a program that ended by itself is started again.
 *
 * @param failures that many early ends in a row, and it is given up
 * @param early a program that ends before it ran this long has ended early
 * @param waits before each start, in ms, by the number of early ends in a row
 */
public record RestartPolicy(int failures, Duration early, IntervalFunction waits) {

  /** A program that ends is given up at once. */
  public static final RestartPolicy NEVER = new RestartPolicy(1, Duration.ZERO, failure -> 0L);

  /** For what is to run for months: after half a second at first, and then ever later. */
  public static final RestartPolicy OF_A_SERVICE =
      new RestartPolicy(
          5,
          Duration.ofMinutes(1),
          IntervalFunction.ofExponentialRandomBackoff(
              Duration.ofMillis(500), 2, 0.5, Duration.ofSeconds(30)));

  Duration waitAfter(int failure) {
    return Duration.ofMillis(waits.apply(failure));
  }
}
