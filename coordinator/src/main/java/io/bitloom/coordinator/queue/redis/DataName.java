package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.SetArgs;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The name of all that the queue keeps in Redis, which the first coordinator gives it. Under
 * another name these are other data.
 */
public final class DataName {

  private final RedisConnection redis;
  private final Keys keys;

  public DataName(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** The name, which is given now if there is none. */
  public CompletionStage<String> get() {
    return redis
        .call(r -> r.get(keys.epoch()))
        .thenCompose(
            found ->
                found == null
                    ? give().thenCompose(done -> get())
                    : CompletableFuture.completedStage(new String(found, StandardCharsets.UTF_8)));
  }

  private CompletionStage<String> give() {
    byte[] name = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
    return redis.call(r -> r.set(keys.epoch(), name, SetArgs.Builder.nx()));
  }
}
