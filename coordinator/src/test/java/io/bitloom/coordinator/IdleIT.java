package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;

import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.util.List;
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
        awaitTrue("a quiet while", () -> quiet(connection.sync()));
      } finally {
        client.shutdown();
      }
    }
  }

  /**
   * Whether there are few calls for a while. What comes after the last outcome takes a while too,
   * but ends.
   */
  private static boolean quiet(RedisCommands<String, String> redis) {
    redis.configResetstat();
    long since = now(redis);
    try {
      Thread.sleep(SECONDS * 1000);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    long calls = calls(redis);
    return calls < 2 * (now(redis) - since) / 1e6;
  }

  /** Microseconds by the clock of Redis. */
  private static long now(RedisCommands<String, String> redis) {
    List<String> time = redis.time();
    return Long.parseLong(time.get(0)) * 1_000_000 + Long.parseLong(time.get(1));
  }

  /** Of all commands but those of this test. */
  private static long calls(RedisCommands<String, String> redis) {
    return CALLS
        .matcher(redis.info("commandstats"))
        .results()
        .filter(command -> !command.group(1).matches("(?i)config.*|time|info"))
        .mapToLong(command -> Long.parseLong(command.group(2)))
        .sum();
  }
}
