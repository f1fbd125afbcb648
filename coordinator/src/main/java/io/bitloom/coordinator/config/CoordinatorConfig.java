package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Settings of a coordinator.
 *
 * @param directory where the embedded Redis is kept, and images unless they go elsewhere
 * @param redis {@code embedded}, or the URI of a Redis that runs elsewhere
 * @param redisNamespace prefix of all keys, so that several clusters can share a Redis
 * @param bind address that the gRPC and the HTTP port listen on
 * @param grpcPort 0 for any free one
 * @param httpPort 0 for any free one
 * @param access who may connect
 * @param limits what callers may ask for
 * @param leases how long workers hold prompts
 * @param maxBatchDelay how long a batch that is not full waits for more prompts
 * @param defaultModel draws where a job names no model; empty: the only model there is
 * @param results where images are kept
 * @param retention how long jobs are kept after their end; empty: until they are deleted
 * @param drainTimeout how long a coordinator that stops waits for running calls
 */
public record CoordinatorConfig(
    Path directory,
    String redis,
    String redisNamespace,
    String bind,
    int grpcPort,
    int httpPort,
    AccessConfig access,
    LimitsConfig limits,
    LeaseConfig leases,
    Duration maxBatchDelay,
    Optional<String> defaultModel,
    ResultsConfig results,
    Optional<Duration> retention,
    Duration drainTimeout) {

  public static final String DEFAULT_NAMESPACE = "bitloom";

  /** The value of {@link #redis} that asks for a Redis of our own. */
  public static final String EMBEDDED = "embedded";

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public CoordinatorConfig {
    if (!redis.equals(EMBEDDED) && !redis.matches("rediss?(-sentinel|-socket|-cluster)?://.+")) {
      throw new ConfigException(
          "redis", redis, "must be embedded or a URI of Redis, such as redis://HOST:PORT");
    }
    if (!redisNamespace.matches("[A-Za-z0-9_.-]{1,64}")) {
      throw new ConfigException(
          "redis-namespace", redisNamespace, "must be letters, digits, dots, dashes, underscores");
    }
    if (bind.isBlank()) {
      throw new ConfigException("bind", bind, "must be an address");
    }
    access.check(bind);
    Settings.inRange("grpc-port", grpcPort, 0, 65_535);
    Settings.inRange("http-port", httpPort, 0, 65_535);
    Settings.inRange("max-batch-delay", maxBatchDelay, Duration.ZERO, Duration.ofMinutes(1));
    retention.ifPresent(
        age -> Settings.inRange("retention", age, Duration.ofSeconds(1), Duration.ofDays(36_500)));
    Settings.inRange("drain-timeout", drainTimeout, Duration.ZERO, Duration.ofHours(1));
  }

  /** Where clients and workers connect. */
  public PortConfig grpc() {
    return new PortConfig(bind, grpcPort, access.tls());
  }

  /** Where people and machines that watch connect. */
  public PortConfig http() {
    return new PortConfig(bind, httpPort, access.tls());
  }
}
