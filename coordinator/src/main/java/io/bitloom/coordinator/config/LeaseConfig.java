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

  static final Setting<Duration> DURATION =
      Setting.duration(
          "lease-duration",
          "10s",
          "Prompts of a worker that is silent for this long go to others (default: {default}).");
  static final Setting<Duration> HEARTBEAT_INTERVAL =
      Setting.duration(
          "heartbeat-interval",
          "2s",
          "How often workers say that they are alive (default: {default}).");
  static final Setting<Duration> RECONNECT_GRACE =
      Setting.duration(
          "reconnect-grace",
          "1s",
          "A worker that was cut off may come back to its prompts (default: {default}).");
  static final Setting<Integer> MAX_ATTEMPTS =
      Setting.number(
          "max-attempts",
          "N",
          5,
          "How often a prompt is tried before it has failed (default: {default}).");

  public static final LeaseConfig DEFAULTS = of(SettingValues.DEFAULTS);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public LeaseConfig {
    Settings.inRange(DURATION.name(), duration, Duration.ofMillis(200), Duration.ofHours(1));
    Settings.inRange(
        HEARTBEAT_INTERVAL.name(),
        heartbeatInterval,
        Duration.ofMillis(50),
        Duration.ofMinutes(10));
    if (heartbeatInterval.multipliedBy(2).compareTo(duration) > 0) {
      throw new ConfigException(
          HEARTBEAT_INTERVAL.name(),
          Settings.text(heartbeatInterval),
          "must be at most half of " + DURATION.name() + " (" + Settings.text(duration) + ")");
    }
    Settings.inRange(RECONNECT_GRACE.name(), reconnectGrace, Duration.ZERO, duration);
    Settings.inRange(MAX_ATTEMPTS.name(), maxAttempts, 1, 100);
  }

  static LeaseConfig of(SettingValues values) {
    return new LeaseConfig(
        values.get(DURATION),
        values.get(HEARTBEAT_INTERVAL),
        values.get(RECONNECT_GRACE),
        values.get(MAX_ATTEMPTS));
  }
}
