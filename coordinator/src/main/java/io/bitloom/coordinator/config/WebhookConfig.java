package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How others are told what becomes of jobs.
 *
 * @param secretFile by which requests are signed where there are no tenants
 * @param allow hosts and networks that are no public ones and may be called all the same
 * @param timeout how long a request may take, with finding the host's address
 * @param retries after which times a request that failed is repeated, one after the other
 * @param ca certificates by which receivers' must be signed, in place of Java's
 */
public record WebhookConfig(
    Optional<Path> secretFile,
    List<String> allow,
    Duration timeout,
    List<Duration> retries,
    Optional<Path> ca) {

  public static final Setting<Optional<Path>> SECRET_FILE =
      Setting.optionalFile(
          "webhook-secret-file",
          "Secrets (whsec_…, one a line) that sign webhooks; with --tenants, that file has them.");
  public static final Setting<List<String>> ALLOW =
      Setting.texts(
          "webhook-allow",
          "HOSTS",
          "Hosts, addresses or networks (10.0.0.0/8), separated by commas, that webhooks may be sent to"
              + " although they are not public.");
  static final Setting<Duration> TIMEOUT =
      Setting.duration(
          "webhook-timeout",
          "15s",
          "Longest request to a webhook's receiver (default: {default}).");
  static final Setting<List<String>> RETRIES =
      Setting.texts(
          "webhook-retries",
          "TIMES",
          "5s,5m,30m,2h,5h,10h,14h,20h,24h",
          "After which times a failed webhook is repeated before it is given up (default:"
              + " {default}).");
  public static final Setting<Optional<Path>> CA =
      Setting.optionalFile(
          "webhook-ca",
          "Certificates (PEM) by which those of webhooks' receivers must be signed (default: those"
              + " that Java trusts).");

  /** As long as a job waits for an attempt. */
  private static final Duration LONGEST_RETRY = Duration.ofDays(7);

  private static final int MOST_RETRIES = 1000;

  public static final WebhookConfig DEFAULTS = of(SettingValues.DEFAULTS, Optional.empty());

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public WebhookConfig {
    Settings.inRange(TIMEOUT.name(), timeout, Duration.ofMillis(100), Duration.ofMinutes(2));
    if (retries.size() > MOST_RETRIES) {
      throw new ConfigException(
          RETRIES.name(), retries.size() + " times", "must be at most " + MOST_RETRIES);
    }
    for (Duration wait : retries) {
      Settings.inRange(RETRIES.name(), wait, Duration.ofMillis(1), LONGEST_RETRY);
    }
    for (String allowed : allow) {
      if (Network.parse(allowed).isEmpty()
          && !allowed.matches("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")) {
        throw new ConfigException(
            ALLOW.name(), allowed, "must be a host, an address or a network such as 10.0.0.0/8");
      }
    }
  }

  /**
   * @param tenants file of tenants, if there is one
   * @throws ConfigException naming the key of the first bad value
   */
  static WebhookConfig of(SettingValues values, Optional<Path> tenants) {
    Optional<Path> secretFile = values.get(SECRET_FILE);
    if (secretFile.isPresent() && tenants.isPresent()) {
      throw new ConfigException(
          SECRET_FILE.name(),
          values.text(SECRET_FILE),
          "must not go with --tenants, whose file has webhook_secrets for each tenant");
    }
    return new WebhookConfig(
        secretFile,
        values.get(ALLOW),
        values.get(TIMEOUT),
        values.get(RETRIES).stream().map(text -> Settings.duration(RETRIES.name(), text)).toList(),
        values.get(CA));
  }
}
