package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.time.Duration;
import java.util.List;

/**
 * Settings of a coordinator. Each part declares its own; {@link #SETTINGS} has all of them.
 *
 * @param drainTimeout how long a coordinator that stops waits for running calls
 */
public record CoordinatorConfig(
    DirectoryConfig directory,
    RedisConfig redis,
    ListenConfig listen,
    JobsConfig jobs,
    DispatchConfig dispatch,
    ResultsConfig results,
    WebhookConfig webhooks,
    InputConfig inputs,
    Duration drainTimeout) {

  static final Setting<Duration> DRAIN_TIMEOUT =
      Setting.duration(
          "drain-timeout", "5s", "How long a stop waits for running calls (default: {default}).");

  /** All settings, in the order in which they are shown. */
  public static final List<Setting<?>> SETTINGS =
      List.of(
          DirectoryConfig.DATA,
          DirectoryConfig.SHARE_DATA,
          RedisConfig.URI,
          RedisConfig.NAMESPACE,
          RedisConfig.MEMORY,
          RedisConfig.REPLICAS,
          RedisConfig.SHARDS,
          ListenConfig.BIND,
          ListenConfig.GRPC_PORT,
          ListenConfig.HTTP_PORT,
          ListenConfig.PORTS_FILE,
          ListenConfig.ALLOWED_HOSTS,
          ListenConfig.CORS,
          ConnectionsConfig.MOST,
          ConnectionsConfig.CALLS,
          ConnectionsConfig.IDLE_TIMEOUT,
          ConnectionsConfig.AGE,
          JobsConfig.DEFAULT_MODEL,
          LimitsConfig.PROMPT_CHARACTERS,
          LimitsConfig.PROMPT_BYTES,
          LimitsConfig.IMAGES_PER_PROMPT,
          LimitsConfig.SPEC_BYTES,
          LimitsConfig.JOB_BYTES,
          LimitsConfig.OPEN_JOBS,
          LimitsConfig.QUEUED_PROMPTS,
          LimitsConfig.PROMPTS_PER_SECOND,
          LimitsConfig.QUEUE_BYTES,
          LimitsConfig.RESULT_BYTES,
          JobsConfig.RETENTION,
          AccessConfig.TENANTS,
          AccessConfig.INSECURE,
          AccessConfig.SCALER_OPEN,
          AccessConfig.TLS_CERT,
          AccessConfig.TLS_KEY,
          AccessConfig.TLS_CLIENT_CA,
          LeaseConfig.DURATION,
          LeaseConfig.HEARTBEAT_INTERVAL,
          LeaseConfig.RECONNECT_GRACE,
          LeaseConfig.MAX_ATTEMPTS,
          DispatchConfig.MAX_BATCH_DELAY,
          ResultsConfig.RESULTS,
          S3Server.ENDPOINT,
          S3Server.REGION,
          S3Server.PATH_STYLE,
          ResultsConfig.NO_FSYNC,
          WebhookConfig.SECRET_FILE,
          WebhookConfig.ALLOW,
          WebhookConfig.TIMEOUT,
          WebhookConfig.RETRIES,
          WebhookConfig.CA,
          InputConfig.PLACES,
          InputConfig.BYTES,
          DRAIN_TIMEOUT);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public CoordinatorConfig {
    Settings.inRange(DRAIN_TIMEOUT.name(), drainTimeout, Duration.ZERO, Duration.ofHours(1));
  }

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public static CoordinatorConfig of(SettingValues values) {
    ListenConfig listen = ListenConfig.of(values);
    return new CoordinatorConfig(
        DirectoryConfig.of(values),
        RedisConfig.of(values),
        listen,
        JobsConfig.of(values),
        DispatchConfig.of(values),
        ResultsConfig.of(values),
        WebhookConfig.of(values, listen.access().tenants()),
        InputConfig.of(values),
        values.get(DRAIN_TIMEOUT));
  }
}
