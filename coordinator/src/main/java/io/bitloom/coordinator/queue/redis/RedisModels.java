package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** The lists of models and of their speeds. */
public final class RedisModels implements ModelRecords {

  private final IndexCalls redis;
  private final Keys keys;

  public RedisModels(RedisConnection redis, Keys keys) {
    this.redis = new IndexCalls(redis, keys);
    this.keys = keys;
  }

  @Override
  public CompletionStage<Void> put(String name, ByteString description) {
    Arguments arguments = new Arguments().add(name).add(description);
    return redis
        .run(Script.ANNOUNCE, new String[] {keys.models()}, arguments)
        .thenApply(done -> null);
  }

  @Override
  public CompletionStage<Map<String, ByteString>> all() {
    return redis
        .call(r -> r.hgetall(keys.models()))
        .thenApply(
            models -> {
              Map<String, ByteString> byName = new HashMap<>();
              models.forEach((name, value) -> byName.put(name, ByteString.copyFrom(value)));
              return byName;
            });
  }

  @Override
  public CompletionStage<Serving> serve(
      String name, String digest, String coordinator, Duration duration) {
    Arguments arguments = new Arguments().add(coordinator).add(digest).add(duration);
    return redis
        .run(Script.SERVE, new String[] {keys.servingOf(name)}, arguments)
        .thenApply(
            reply -> {
              int before = reply.nextInt();
              return new Serving(
                  before > 0, before == 2 ? Optional.of(reply.nextString()) : Optional.empty());
            });
  }

  @Override
  public CompletionStage<Void> withdraw(String name, String digest, String coordinator) {
    byte[] member = (coordinator + " " + digest).getBytes(StandardCharsets.UTF_8);
    return redis.call(r -> r.zrem(keys.servingOf(name), member)).thenApply(removed -> null);
  }

  @Override
  public CompletionStage<Void> putSpeed(Bucket bucket, double secondsPerImage) {
    byte[] seconds = Double.toString(secondsPerImage).getBytes(StandardCharsets.UTF_8);
    return redis
        .call(r -> r.hset(keys.speeds(), Map.of(Keys.id(bucket), seconds)))
        .thenApply(added -> null);
  }

  @Override
  public CompletionStage<Map<Bucket, Double>> speeds() {
    return redis
        .call(r -> r.hgetall(keys.speeds()))
        .thenApply(
            speeds -> {
              Map<Bucket, Double> byBucket = new HashMap<>();
              speeds.forEach(
                  (id, value) ->
                      byBucket.put(
                          Keys.bucketOf(id),
                          Double.parseDouble(new String(value, StandardCharsets.UTF_8))));
              return byBucket;
            });
  }
}
