package io.bitloom.worker.session;

import io.bitloom.common.net.ServerAddress;
import java.time.Duration;
import java.util.List;

/**
 * How a worker talks to the coordinator.
 *
 * @param coordinators of which one is used at a time, the next after a failure
 * @param access who the worker is to them
 * @param workerId unique among workers, the same as long as the process lives
 * @param pool of workers that it is of
 * @param device for people: {@code cpu, 2 threads}
 * @param leasesAhead leases that the worker wants to hold while the device is busy, the running one
 *     included; 2 hides the way to the coordinator and back
 * @param maxUnacknowledgedBytes images that may wait for the coordinator's acknowledgement before
 *     the worker stops asking for work
 * @param welcomeTimeout how long a new connection may take to answer
 * @param firstRetry wait after the first failed connection; doubles, with jitter
 * @param longestRetry upper bound of that wait
 */
public record SessionConfig(
    List<ServerAddress> coordinators,
    CoordinatorAccess access,
    String workerId,
    String pool,
    String device,
    int leasesAhead,
    long maxUnacknowledgedBytes,
    Duration welcomeTimeout,
    Duration firstRetry,
    Duration longestRetry) {

  /**
   * @throws IllegalArgumentException naming what is out of range
   */
  public SessionConfig {
    coordinators = List.copyOf(coordinators);
    if (coordinators.isEmpty()) {
      throw new IllegalArgumentException("coordinators: at least one address is needed");
    }
    if (leasesAhead < 1) {
      throw new IllegalArgumentException("leasesAhead must be at least 1, not " + leasesAhead);
    }
    if (maxUnacknowledgedBytes < 1) {
      throw new IllegalArgumentException(
          "maxUnacknowledgedBytes must be positive, not " + maxUnacknowledgedBytes);
    }
    requirePositive("welcomeTimeout", welcomeTimeout);
    requirePositive("firstRetry", firstRetry);
    if (longestRetry.compareTo(firstRetry) < 0) {
      throw new IllegalArgumentException(
          "longestRetry must be at least firstRetry (" + firstRetry + "), not " + longestRetry);
    }
  }

  private static void requirePositive(String key, Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new IllegalArgumentException(key + " must be positive, not " + value);
    }
  }

  /** The usual settings. */
  public static SessionConfig of(
      List<ServerAddress> coordinators,
      CoordinatorAccess access,
      String workerId,
      String pool,
      String device) {
    return new SessionConfig(
        coordinators,
        access,
        workerId,
        pool,
        device,
        2,
        256L << 20,
        Duration.ofSeconds(10),
        Duration.ofMillis(200),
        Duration.ofSeconds(10));
  }
}
