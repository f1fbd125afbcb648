package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.net.MaskedUri;
import io.bitloom.coordinator.queue.Bucket;
import java.util.Optional;

/**
 * Where the queue is kept.
 *
 * @param uri {@code embedded}, or the URI of a Redis that runs elsewhere
 * @param namespace prefix of all keys, so that several clusters can share a Redis
 * @param memory bytes that a Redis of our own may take; empty: half of the machine's
 * @param replicas that must have what is acknowledged; 0: its master's word is enough
 * @param shards over how many slots of a cluster a job and its buckets are spread
 */
public record RedisConfig(
    String uri, String namespace, Optional<Long> memory, int replicas, int shards) {

  /** The {@link #uri} that asks for a Redis of our own. */
  public static final String EMBEDDED = "embedded";

  static final Setting<String> URI =
      Setting.text(
          "redis",
          "URI",
          EMBEDDED,
          "{default} (default), or a URI: redis://, redis-sentinel://, redis-cluster://; rediss for"
              + " TLS, with ?ca=FILE for its CA.");
  static final Setting<String> NAMESPACE =
      Setting.text(
          "redis-namespace",
          "NAME",
          "bitloom",
          "Prefix of all keys, so that clusters can share a Redis (default: {default}).");

  static final Setting<Optional<Long>> MEMORY =
      Setting.optionalBytes(
          "redis-memory",
          "Most memory of the embedded Redis, which takes no new jobs then (default: half of the"
              + " machine's).");

  static final Setting<Integer> REPLICAS =
      Setting.number(
          "redis-replicas",
          "N",
          0,
          "Acknowledge a job, prompt or outcome only when so many replicas of Redis have it"
              + " (default: {default}).");

  static final Setting<Integer> SHARDS =
      Setting.number(
          "redis-shards",
          "N",
          1,
          "Over how many slots of a Redis Cluster a large job is spread, so that several masters"
              + " work on it; the same at all coordinators (default: {default}).");

  /** A Redis with nothing in it takes a megabyte. */
  private static final long LEAST_MEMORY = 4 << 20;

  private static final int MOST_REPLICAS = 100;

  public static final RedisConfig DEFAULTS = of(SettingValues.DEFAULTS);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public RedisConfig {
    if (!uri.equals(EMBEDDED) && !uri.matches("rediss?(-sentinel|-socket|-cluster)?://.+")) {
      throw new ConfigException(
          URI.name(),
          MaskedUri.of(uri),
          "must be embedded or a URI of Redis, such as redis://HOST:PORT");
    }
    if (!namespace.matches("[A-Za-z0-9_.-]{1,64}")) {
      throw new ConfigException(
          NAMESPACE.name(), namespace, "must be letters, digits, dots, dashes, underscores");
    }
    memory.ifPresent(bytes -> Settings.bytesInRange(MEMORY.name(), bytes, LEAST_MEMORY, 1L << 50));
    Settings.inRange(REPLICAS.name(), replicas, 0, uri.equals(EMBEDDED) ? 0 : MOST_REPLICAS);
    Settings.inRange(SHARDS.name(), shards, 1, Bucket.Shard.MOST);
  }

  static RedisConfig of(SettingValues values) {
    return new RedisConfig(
        values.get(URI),
        values.get(NAMESPACE),
        values.get(MEMORY),
        values.get(REPLICAS),
        values.get(SHARDS));
  }

  /** Whether the coordinator runs a Redis of its own. */
  public boolean embedded() {
    return uri.equals(EMBEDDED);
  }
}
