package io.bitloom.coordinator.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoordinatorConfigTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"embedded", "redis://localhost:6379", "rediss://u:p@h", "redis-sentinel://a,b/0"})
  void redisIsEmbeddedOrAUri(String redis) {
    assertEquals(redis, new RedisConfig(redis, "bitloom", Optional.empty(), 0, 1).uri());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "localhost:6379", "http://localhost", "redis://"})
  void anotherRedisIsRefused(String redis) {
    ConfigException error =
        assertThrows(
            ConfigException.class, () -> new RedisConfig(redis, "bitloom", Optional.empty(), 0, 1));
    assertTrue(error.getMessage().startsWith("redis must be"), error.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "s3://KEY:secret/secret@pictures, ''",
    "s3://pictures, https://KEY:secret@minio",
    "s3://pictures, https://KEY:secret/secret@minio"
  })
  void credentialsDoNotBelongIntoAnAddressAndAreNotSaidAgain(String location, String endpoint) {
    ConfigException error =
        assertThrows(
            ConfigException.class, () -> S3Config.of(location, endpoint, "eu-central-1", false));
    assertFalse(error.getMessage().contains("secret"), error.getMessage());
  }

  @Test
  void aPortOutOfRangeIsNamed() {
    ConfigException error =
        assertThrows(
            ConfigException.class,
            () ->
                new ListenConfig(
                    "127.0.0.1",
                    65_536,
                    7701,
                    Optional.empty(),
                    AccessConfig.LOOPBACK,
                    List.of(),
                    List.of(),
                    ConnectionsConfig.DEFAULTS));
    assertEquals("grpc-port must be 0 to 65535, not \"65536\"", error.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "app.example", "https://app.example/", "https://a b", "null"})
  void aSiteThatMayCallIsAnOrigin(String origin) {
    ConfigException error =
        assertThrows(
            ConfigException.class,
            () ->
                new ListenConfig(
                    "127.0.0.1",
                    7700,
                    7701,
                    Optional.empty(),
                    AccessConfig.LOOPBACK,
                    List.of(),
                    List.of(origin),
                    ConnectionsConfig.DEFAULTS));
    assertTrue(error.getMessage().startsWith("cors must be origins"), error.getMessage());
  }

  @Test
  void heartbeatsMustComeTwiceInALease() {
    ConfigException error =
        assertThrows(
            ConfigException.class,
            () ->
                new LeaseConfig(
                    Duration.ofSeconds(3), Duration.ofSeconds(2), Duration.ofSeconds(1), 5));
    assertEquals(
        "heartbeat-interval must be at most half of lease-duration (3s), not \"2s\"",
        error.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/33", "http://x", "a b", "[::1]", "1.2.3.4/x"})
  void whatIsNeitherHostNorNetworkIsNotAllowedToReceive(String allow) {
    ConfigException refused =
        assertThrows(
            ConfigException.class, () -> webhooks(List.of(allow), List.of(Duration.ofSeconds(5))));
    assertTrue(
        refused.getMessage().startsWith("webhook-allow must be a host"), refused.getMessage());
    List<String> good = List.of("::1", "fd00::/8", "10.0.0.0/8", "127.0.0.1", "hooks_1.internal");
    assertEquals(good, webhooks(good, List.of()).allow());
  }

  @Test
  void webhooksAreRepeatedInAnySecondsButNotAnyTimes() {
    assertThrows(ConfigException.class, () -> webhooks(List.of(), List.of(Duration.ZERO)));
    assertThrows(ConfigException.class, () -> webhooks(List.of(), List.of(Duration.ofDays(8))));
    List<Duration> many = Collections.nCopies(1001, Duration.ofSeconds(1));
    assertThrows(ConfigException.class, () -> webhooks(List.of(), many));
  }

  private static WebhookConfig webhooks(List<String> allow, List<Duration> retries) {
    return new WebhookConfig(
        Optional.empty(), allow, Duration.ofSeconds(15), retries, Optional.empty());
  }

  @Test
  void anEmbeddedRedisHasNoReplicasToWaitFor() {
    assertEquals(1, new RedisConfig("redis://host", "bitloom", Optional.empty(), 1, 1).replicas());
    ConfigException refused =
        assertThrows(
            ConfigException.class,
            () -> new RedisConfig("embedded", "bitloom", Optional.empty(), 1, 1));
    assertTrue(refused.getMessage().contains("redis-replicas"), refused.getMessage());
  }
}
