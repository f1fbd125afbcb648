package io.bitloom.coordinator.config;

import io.bitloom.common.config.Settings;
import java.time.Duration;
import java.util.Optional;

/**
 * What connections to a port may take.
 *
 * @param most connections to one port at a time; more are closed at once
 * @param calls that one gRPC connection may have open; clients let others wait
 * @param idleTimeout how long a connection without calls may stay
 * @param age after which clients and workers are asked to connect anew, so that they spread over
 *     coordinators that came later; empty: never
 */
public record ConnectionsConfig(int most, int calls, Duration idleTimeout, Optional<Duration> age) {

  static final Setting<Integer> MOST =
      Setting.number(
          "max-connections", "N", 4096, "Most connections to each port (default: {default}).");
  static final Setting<Integer> CALLS =
      Setting.number(
          "calls-per-connection",
          "N",
          1000,
          "Most calls that one gRPC connection may have open (default: {default}).");
  static final Setting<Duration> IDLE_TIMEOUT =
      Setting.duration(
          "idle-timeout",
          "2m",
          "Close connections that have had no call for so long (default: {default}).");

  static final Setting<Optional<Duration>> AGE =
      Setting.durationOrNever(
          "max-connection-age",
          "1h",
          "Have clients and workers connect anew after about so long, so that they spread over"
              + " several coordinators, or never (default: {default}).");

  public static final ConnectionsConfig DEFAULTS = of(SettingValues.DEFAULTS);

  /**
   * @throws io.bitloom.common.config.ConfigException naming the key of the first bad value
   */
  public ConnectionsConfig {
    Settings.inRange(MOST.name(), most, 1, 1_000_000);
    Settings.inRange(CALLS.name(), calls, 1, 1_000_000);
    Settings.inRange(
        IDLE_TIMEOUT.name(), idleTimeout, Duration.ofMillis(100), Duration.ofHours(24));
    age.ifPresent(
        time -> Settings.inRange(AGE.name(), time, Duration.ofSeconds(1), Duration.ofDays(30)));
  }

  static ConnectionsConfig of(SettingValues values) {
    return new ConnectionsConfig(
        values.get(MOST), values.get(CALLS), values.get(IDLE_TIMEOUT), values.get(AGE));
  }
}
