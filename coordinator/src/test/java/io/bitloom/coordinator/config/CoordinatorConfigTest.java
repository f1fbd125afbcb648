package io.bitloom.coordinator.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CoordinatorConfigTest {

  private static CoordinatorConfig config(String redis, int grpcPort) {
    return new CoordinatorConfig(
        Path.of("data"),
        redis,
        CoordinatorConfig.DEFAULT_NAMESPACE,
        "127.0.0.1",
        grpcPort,
        7701,
        AccessConfig.LOOPBACK,
        LimitsConfig.DEFAULTS,
        LeaseConfig.DEFAULTS,
        Duration.ofMillis(50),
        Optional.empty(),
        ResultsConfig.DEFAULTS,
        Optional.empty(),
        Duration.ofSeconds(5));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"embedded", "redis://localhost:6379", "rediss://u:p@h", "redis-sentinel://a,b/0"})
  void redisIsEmbeddedOrAUri(String redis) {
    assertEquals(redis, config(redis, 7700).redis());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "localhost:6379", "http://localhost", "redis://"})
  void anotherRedisIsRefused(String redis) {
    ConfigException error = assertThrows(ConfigException.class, () -> config(redis, 7700));
    assertTrue(error.getMessage().startsWith("redis must be"), error.getMessage());
  }

  @Test
  void aPortOutOfRangeIsNamed() {
    ConfigException error = assertThrows(ConfigException.class, () -> config("embedded", 65_536));
    assertEquals("grpc-port must be 0 to 65535, not \"65536\"", error.getMessage());
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
}
