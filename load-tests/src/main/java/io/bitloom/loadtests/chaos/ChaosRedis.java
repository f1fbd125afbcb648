package io.bitloom.loadtests.chaos;

import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import java.util.List;
import java.util.function.Function;

/** The Redis of a chaos run. */
interface ChaosRedis extends AutoCloseable {

  /** What coordinators have to be told of it. */
  List<String> options();

  /** Ends a server like {@code kill -9}; it comes back by itself. */
  void kill() throws Exception;

  /** Asks it something, all servers together if it has several. */
  <T> T ask(Function<RedisClusterCommands<String, String>, T> question) throws Exception;
}
