package io.bitloom.loadtests.chaos;

import io.bitloom.coordinator.redis.ReplicatedCluster;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A Redis Cluster whose masters are killed and replaced by their replicas. */
final class ChaosRedisCluster implements ChaosRedis {

  private static final String SCHEME = "redis-cluster://";
  private static final int LEAST_AWAY_MS = 2000;
  private static final int MOST_AWAY_MS = 6000;

  private final ReplicatedCluster cluster;
  private final Random chance;
  private CompletableFuture<Void> back = CompletableFuture.completedFuture(null);

  ChaosRedisCluster(Path folder, Random chance) throws Exception {
    this.cluster = new ReplicatedCluster(folder.resolve("redis-cluster"));
    this.chance = chance;
  }

  @Override
  public List<String> options() {
    return List.of("--redis=" + cluster.uri(), "--redis-replicas=1");
  }

  /** One that was killed before is the replica of another one first: no two are away at a time. */
  @Override
  public void kill() throws Exception {
    back.join();
    cluster.awaitWhole();
    int master = cluster.someMaster(chance);
    cluster.kill(master);
    int away = chance.nextInt(LEAST_AWAY_MS, MOST_AWAY_MS);
    back =
        CompletableFuture.runAsync(
            () -> restart(master), CompletableFuture.delayedExecutor(away, TimeUnit.MILLISECONDS));
  }

  private void restart(int master) {
    try {
      cluster.restart(master);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public <T> T ask(Function<RedisClusterCommands<String, String>, T> question) throws Exception {
    back.join();
    cluster.awaitWhole();
    List<RedisURI> nodes =
        Arrays.stream(cluster.uri().substring(SCHEME.length()).split(","))
            .map(node -> RedisURI.create("redis://" + node))
            .toList();
    RedisClusterClient client = RedisClusterClient.create(nodes);
    try (StatefulRedisClusterConnection<String, String> connection = client.connect()) {
      return question.apply(connection.sync());
    } finally {
      client.shutdown();
    }
  }

  @Override
  public void close() {
    back.join();
    cluster.close();
  }
}
