package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdleIT {

  private static final Pattern CALLS = Pattern.compile("cmdstat_(\\S+?):calls=(\\d+)");
  private static final int SECONDS = 6;

  @TempDir Path directory;

  @Test
  void anIdleClusterWithOneWorkerMakesFewerThanTwoRedisOperationsASecond() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory.resolve("redis"));
        TestCoordinator coordinator =
            TestCoordinator.start(
                directory.resolve("data"), redis.uri(), "test", LeaseConfig.DEFAULTS)) {
      coordinator.worker("idle", FakeBehaviour.DEFAULT);
      coordinator.results(coordinator.submit(prompts(20)).getName());
      RedisClient client = RedisClient.create(redis.uri());
      try (StatefulRedisConnection<String, String> connection = client.connect()) {
        Thread.sleep(1000); // what comes after the last outcome
        connection.sync().configResetstat();
        Thread.sleep(SECONDS * 1000);
        long calls = calls(connection.sync());
        assertTrue(calls < 2 * SECONDS, connection.sync().info("commandstats"));
      } finally {
        client.shutdown();
      }
    }
  }

  /** Of all commands but those of this test. */
  private static long calls(RedisCommands<String, String> redis) {
    return CALLS
        .matcher(redis.info("commandstats"))
        .results()
        .filter(command -> !command.group(1).startsWith("config"))
        .mapToLong(command -> Long.parseLong(command.group(2)))
        .sum();
  }
}
