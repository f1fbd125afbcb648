package io.bitloom.loadtests.chaos;

import java.time.Duration;

/**
 * What a chaos run does.
 *
 * @param seed of all that is random
 * @param prompts of all tenants together
 * @param batchTime of the fake workers
 * @param troubles how many things are broken
 * @param longestPause between two of them
 */
public record ChaosPlan(
    long seed,
    int prompts,
    int workers,
    int coordinators,
    Duration batchTime,
    int troubles,
    Duration longestPause) {

  /** The form of the test suite. */
  public static ChaosPlan brief(long seed) {
    return new ChaosPlan(seed, 1_200, 3, 2, Duration.ofMillis(30), 14, Duration.ofMillis(700));
  }

  /** 20,000 prompts, 6 workers, some minutes. */
  public static ChaosPlan whole(long seed) {
    return new ChaosPlan(seed, 20_000, 6, 2, Duration.ofMillis(120), 80, Duration.ofMillis(1500));
  }
}
