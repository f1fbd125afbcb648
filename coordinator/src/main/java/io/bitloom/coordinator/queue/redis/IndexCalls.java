package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Calls on the lists of jobs, buckets and models. Another coordinator may have upgraded them a
 * moment ago; then a call fails, and is repeated as a whole with the names that they have now.
 */
final class IndexCalls {

  private final RedisConnection redis;
  private final Keys keys;
  private final DataHeader header;

  IndexCalls(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
    this.header = new DataHeader(redis, keys);
  }

  /**
   * @param command asks {@link Keys} for names each time
   */
  <T> CompletionStage<T> call(
      Function<RedisClusterAsyncCommands<String, byte[]>, CompletionStage<T>> command) {
    return redis.call(command).exceptionallyCompose(e -> ifUpgraded(e, () -> redis.call(command)));
  }

  CompletionStage<Reply> run(Script script, String[] lists, Arguments arguments) {
    byte[][] values = arguments.toArray();
    return redis
        .eval(script.lua(), lists, values)
        .exceptionallyCompose(
            e -> ifUpgraded(e, () -> redis.eval(script.lua(), keys.named(lists), values)))
        .thenApply(Reply::new);
  }

  private <T> CompletionStage<T> ifUpgraded(Throwable e, Supplier<CompletionStage<T>> call) {
    return RedisConnection.isOfOtherType(e)
        ? header.read().thenCompose(found -> ifUpgraded(found, e, call))
        : CompletableFuture.failedStage(e);
  }

  private <T> CompletionStage<T> ifUpgraded(
      DataHeader.Header found, Throwable e, Supplier<CompletionStage<T>> call) {
    if (!found.version().equals(Integer.toString(DataHeader.NEWEST))) {
      return CompletableFuture.failedStage(e);
    }
    keys.use(DataHeader.NEWEST);
    return call.get();
  }
}
