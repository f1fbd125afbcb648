package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.time.Duration;
import java.util.Optional;

/**
 * What jobs may be, and how long they stay.
 *
 * @param limits what callers may ask for
 * @param defaultModel draws where a job names no model; empty: the only model there is
 * @param retention how long jobs are kept after their end; empty: until they are deleted
 */
public record JobsConfig(
    LimitsConfig limits, Optional<String> defaultModel, Optional<Duration> retention) {

  static final Setting<Optional<String>> DEFAULT_MODEL =
      Setting.optionalText(
          "default-model",
          "NAME",
          "Draws where a job names no model (default: the only one there is).");
  static final Setting<Optional<Duration>> RETENTION =
      Setting.durationOrNever(
          "retention",
          "30d",
          "Delete jobs with their images this long after their end, or never (default:"
              + " {default}).");

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public JobsConfig {
    retention.ifPresent(
        age ->
            Settings.inRange(
                RETENTION.name(), age, Duration.ofSeconds(1), Duration.ofDays(36_500)));
  }

  static JobsConfig of(SettingValues values) {
    return new JobsConfig(
        LimitsConfig.of(values), values.get(DEFAULT_MODEL), values.get(RETENTION));
  }
}
