package io.bitloom.loadtests.chaos;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** The server that coordinators of one folder share, and start again. */
final class EmbeddedChaosRedis implements ChaosRedis {

  private final String program;
  private final Callable<String> uri;

  /**
   * @param folder of the coordinators
   * @param uri where it is, which a coordinator knows when it runs
   */
  EmbeddedChaosRedis(Path folder, Callable<String> uri) {
    this.program = folder.resolve("data/redis/redis-server").toString();
    this.uri = uri;
  }

  @Override
  public List<String> options() {
    return List.of();
  }

  @Override
  public void kill() {
    ProcessHandle.allProcesses()
        .filter(process -> process.info().command().filter(program::equals).isPresent())
        .forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public <T> T ask(Function<RedisClusterCommands<String, String>, T> question) throws Exception {
    RedisClient client = RedisClient.create(uri.call());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      return question.apply(connection.sync());
    } finally {
      client.shutdown();
    }
  }

  @Override
  public void close() {
    // The last coordinator ends it.
  }
}
