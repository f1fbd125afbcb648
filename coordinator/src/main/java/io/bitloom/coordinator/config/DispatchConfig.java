package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.time.Duration;

/**
 * How prompts come to workers.
 *
 * @param leases how long workers hold prompts
 * @param maxBatchDelay how long a batch that is not full waits for more prompts
 */
public record DispatchConfig(LeaseConfig leases, Duration maxBatchDelay) {

  static final Setting<Duration> MAX_BATCH_DELAY =
      Setting.duration(
          "max-batch-delay",
          "50ms",
          "How long a batch with room left waits for more prompts (default: {default}).");

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public DispatchConfig {
    Settings.inRange(MAX_BATCH_DELAY.name(), maxBatchDelay, Duration.ZERO, Duration.ofMinutes(1));
  }

  static DispatchConfig of(SettingValues values) {
    return new DispatchConfig(LeaseConfig.of(values), values.get(MAX_BATCH_DELAY));
  }
}
