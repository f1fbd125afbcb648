package io.bitloom.coordinator.redis;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the way to Redis can suffer. */
class RedisNetworkIT {

  @TempDir Path directory;
  private RedisServers redis;
  private Partition way;
  private RedisOutage outage;

  @BeforeEach
  void start() throws Exception {
    int port = RedisServers.freePort();
    redis = new RedisServers(directory);
    redis.start(port, List.of("appendonly yes"));
    way = new Partition("127.0.0.1", port);
    outage = new RedisOutage(directory.resolve("data"), way.port());
  }

  @AfterEach
  void stop() throws Exception {
    way.cut(false);
    outage.close();
    way.close();
    redis.close();
  }

  @Test
  void aPartitionIsSurvived() throws Exception {
    outage.survives(() -> way.cut(true), () -> way.cut(false));
  }

  @Test
  void aPartitionAfterWhichTheNetworkKnowsNoConnectionAnyMoreIsSurvived() throws Exception {
    outage.survives(
        () -> way.cut(true),
        () -> {
          way.forget();
          way.cut(false);
        });
  }
}
