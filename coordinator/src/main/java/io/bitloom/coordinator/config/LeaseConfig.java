package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.time.Duration;

/**
 * How long workers hold prompts.
 *
 * @param duration without a heartbeat for this long, prompts go to other workers
 * @param heartbeatInterval how often workers renew their leases
 * @param reconnectGrace how long the leases of a worker whose connection broke wait for it
 * @param maxAttempts how often a prompt is tried before it has failed
 */
public record LeaseConfig(
    Duration duration, Duration heartbeatInterval, Duration reconnectGrace, int maxAttempts) {

  public static final LeaseConfig DEFAULTS =
      new LeaseConfig(Duration.ofSeconds(10), Duration.ofSeconds(2), Duration.ofSeconds(1), 5);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public LeaseConfig {
    Settings.inRange("lease-duration", duration, Duration.ofMillis(200), Duration.ofHours(1));
    Settings.inRange(
        "heartbeat-interval", heartbeatInterval, Duration.ofMillis(50), Duration.ofMinutes(10));
    if (heartbeatInterval.multipliedBy(2).compareTo(duration) > 0) {
      throw new ConfigException(
          "heartbeat-interval",
          Settings.text(heartbeatInterval),
          "must be at most half of lease-duration (" + Settings.text(duration) + ")");
    }
    Settings.inRange("reconnect-grace", reconnectGrace, Duration.ZERO, duration);
    Settings.inRange("max-attempts", maxAttempts, 1, 100);
  }
}
