package io.bitloom.loadtests.chaos;

import java.time.Duration;
import java.util.List;

/**
 * What a chaos run does.
 *
 * @param seed of all that is random
 * @param prompts of all tenants together
 * @param batchTime of the fake workers
 * @param troubles how many things are broken
 * @param longestPause between two of them
 * @param redisCluster whether Redis is a cluster, in which masters are killed
 * @param coordinatorOptions besides those that every run needs
 */
public record ChaosPlan(
    long seed,
    int prompts,
    int workers,
    int coordinators,
    Duration batchTime,
    int troubles,
    Duration longestPause,
    boolean redisCluster,
    List<String> coordinatorOptions) {

  /** The form of the test suite. */
  public static ChaosPlan brief(long seed) {
    return new ChaosPlan(
        seed, 1_200, 3, 2, Duration.ofMillis(30), 14, Duration.ofMillis(700), false, List.of());
  }

  /** 20,000 prompts, 6 workers, some minutes. */
  public static ChaosPlan whole(long seed) {
    return new ChaosPlan(
        seed, 20_000, 6, 2, Duration.ofMillis(120), 80, Duration.ofMillis(1500), false, List.of());
  }

  /** The same with a Redis Cluster instead of an embedded server. */
  public ChaosPlan onRedisCluster() {
    return new ChaosPlan(
        seed,
        prompts,
        workers,
        coordinators,
        batchTime,
        troubles,
        longestPause,
        true,
        coordinatorOptions);
  }

  /** The same with coordinators that have these options, too. */
  public ChaosPlan withCoordinators(List<String> options) {
    return new ChaosPlan(
        seed,
        prompts,
        workers,
        coordinators,
        batchTime,
        troubles,
        longestPause,
        redisCluster,
        List.copyOf(options));
  }
}
