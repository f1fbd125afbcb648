package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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
    return put(name, description, false);
  }

  @Override
  public CompletionStage<Void> putIfAbsent(String name, ByteString description) {
    return put(name, description, true);
  }

  private CompletionStage<Void> put(String name, ByteString description, boolean ifAbsent) {
    Arguments arguments = new Arguments().add(name).add(description).add(ifAbsent ? 1 : 0);
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
    Arguments arguments = new Arguments().add(coordinator).add(digest).add(duration).add(name);
    return redis
        .run(Script.SERVE, new String[] {keys.servingOf(name), keys.modelsSeen()}, arguments)
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
  public CompletionStage<List<ByteString>> attend(
      String coordinator, ByteString record, Duration duration) {
    Arguments arguments = new Arguments().add(coordinator).add(duration).add(record);
    return redis
        .run(Script.ATTEND, new String[] {keys.workers()}, arguments)
        .thenApply(
            reply -> {
              List<ByteString> others = new ArrayList<>();
              while (reply.hasNext()) {
                others.add(reply.nextBytes());
              }
              return others;
            });
  }

  @Override
  public CompletionStage<List<String>> unseen(Duration age) {
    return redis
        .run(
            Script.UNSEEN,
            new String[] {keys.models(), keys.modelsSeen()},
            new Arguments().add(age))
        .thenApply(
            reply -> {
              List<String> names = new ArrayList<>();
              while (reply.hasNext()) {
                names.add(reply.nextString());
              }
              return names;
            });
  }

  @Override
  public CompletionStage<Boolean> retract(String name, Duration age) {
    String[] lists = {keys.models(), keys.modelsSeen(), keys.speeds(), keys.servingOf(name)};
    String buckets = Keys.id(new Bucket(name, ""));
    return redis
        .run(Script.RETRACT, lists, new Arguments().add(name).add(age).add(buckets))
        .thenApply(Reply::nextFlag);
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
