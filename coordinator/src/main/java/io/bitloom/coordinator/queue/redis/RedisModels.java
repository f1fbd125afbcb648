package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.coordinator.queue.Names;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The lists of models and of their speeds. */
public final class RedisModels implements ModelRecords {

  private static final long MOST_POOLS = 1000;
  private static final long MOST_POOL_SPEEDS = 50_000;

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
    String[] lists = {
      keys.models(), keys.modelsSeen(), keys.speeds(), keys.servingOf(name), keys.poolSpeeds()
    };
    String buckets = Keys.id(new Bucket(name, ""));
    return redis
        .run(Script.RETRACT, lists, new Arguments().add(name).add(age).add(buckets))
        .thenApply(Reply::nextFlag);
  }

  @Override
  public CompletionStage<Void> putSpeed(Bucket bucket, double secondsPerImage) {
    return put(keys.speeds(), Keys.id(bucket), secondsPerImage);
  }

  @Override
  public CompletionStage<Void> putSpeed(String pool, Bucket bucket, double secondsPerImage) {
    String field = Keys.id(bucket) + " " + Names.escape(pool);
    return ifRoom(
        keys.poolSpeeds(),
        field,
        MOST_POOL_SPEEDS,
        () -> put(keys.poolSpeeds(), field, secondsPerImage));
  }

  /** Workers say of which pool they are; who says another name each time fills nothing. */
  private CompletionStage<Void> ifRoom(
      String hash, String field, long most, Supplier<CompletionStage<Void>> put) {
    return redis
        .call(r -> r.hexists(hash, field))
        .thenCombine(redis.call(r -> r.hlen(hash)), (there, length) -> there || length < most)
        .thenCompose(
            room -> {
              if (!room) {
                throw new BitloomException(
                    ErrorCode.LIMIT_EXCEEDED, hash + " has " + most + " entries already");
              }
              return put.get();
            });
  }

  private CompletionStage<Void> put(String speeds, String field, double secondsPerImage) {
    byte[] seconds = Double.toString(secondsPerImage).getBytes(StandardCharsets.UTF_8);
    return redis.call(r -> r.hset(speeds, Map.of(field, seconds))).thenApply(added -> null);
  }

  @Override
  public CompletionStage<Map<Bucket, Double>> speeds() {
    return redis
        .call(r -> r.hgetall(keys.speeds()))
        .thenApply(
            speeds -> {
              Map<Bucket, Double> byBucket = new HashMap<>();
              speeds.forEach((id, value) -> byBucket.put(Keys.bucketOf(id), seconds(value)));
              return byBucket;
            });
  }

  @Override
  public CompletionStage<Map<String, Map<Bucket, Double>>> poolSpeeds() {
    return redis
        .call(r -> r.hgetall(keys.poolSpeeds()))
        .thenApply(
            speeds -> {
              Map<String, Map<Bucket, Double>> byPool = new HashMap<>();
              speeds.forEach(
                  (field, value) -> {
                    int space = field.indexOf(' ');
                    byPool
                        .computeIfAbsent(
                            Names.unescape(field.substring(space + 1)), pool -> new HashMap<>())
                        .put(Keys.bucketOf(field.substring(0, space)), seconds(value));
                  });
              return byPool;
            });
  }

  private static double seconds(byte[] value) {
    return Double.parseDouble(new String(value, StandardCharsets.UTF_8));
  }

  @Override
  public CompletionStage<Void> putPool(String pool, Collection<String> models) {
    String field = Names.escape(pool);
    byte[] names =
        models.stream()
            .map(Names::escape)
            .collect(Collectors.joining(" "))
            .getBytes(StandardCharsets.UTF_8);
    return ifRoom(
        keys.poolModels(),
        field,
        MOST_POOLS,
        () ->
            redis
                .call(r -> r.hset(keys.poolModels(), Map.of(field, names)))
                .thenApply(added -> null));
  }

  @Override
  public CompletionStage<Map<String, Set<String>>> pools() {
    return redis
        .call(r -> r.hgetall(keys.poolModels()))
        .thenApply(
            pools -> {
              Map<String, Set<String>> models = new HashMap<>();
              pools.forEach((pool, names) -> models.put(Names.unescape(pool), names(names)));
              return models;
            });
  }

  private static Set<String> names(byte[] names) {
    return Arrays.stream(new String(names, StandardCharsets.UTF_8).split(" "))
        .map(Names::unescape)
        .collect(Collectors.toSet());
  }
}
