package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The lists of all jobs, buckets and models. */
final class JobIndex {

  private final RedisConnection redis;
  private final Keys keys;
  private final Set<Bucket> knownBuckets = ConcurrentHashMap.newKeySet();

  JobIndex(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Lists a job, as active too. */
  CompletionStage<Void> register(String jobId, String tenant) {
    String[] lists = {keys.jobs(), keys.jobsOf(tenant), keys.activeJobs()};
    return redis
        .eval(Script.REGISTER.lua(), lists, new Arguments().add(jobId).toArray())
        .thenApply(reply -> null);
  }

  /** Nothing is left to be done for this job. */
  CompletionStage<Void> inactive(String jobId) {
    return redis.call(r -> r.zrem(keys.activeJobs(), bytes(jobId))).thenApply(removed -> null);
  }

  /** An active job and how long ago it was registered. */
  record Active(String jobId, Duration age) {}

  CompletionStage<List<Active>> activeJobs() {
    return redis
        .call(r -> r.zrangeWithScores(keys.activeJobs(), 0, -1))
        .thenCompose(
            jobs ->
                jobs.isEmpty()
                    ? CompletableFuture.completedStage(List.of())
                    : nowMicros()
                        .thenApply(now -> jobs.stream().map(job -> active(job, now)).toList()));
  }

  private static Active active(ScoredValue<byte[]> job, long nowMicros) {
    long age = nowMicros - (long) job.getScore();
    return new Active(text(job.getValue()), Duration.of(age, ChronoUnit.MICROS));
  }

  private CompletionStage<Long> nowMicros() {
    return redis
        .call(RedisClusterAsyncCommands::time)
        .thenApply(
            time ->
                Long.parseLong(text(time.get(0))) * 1_000_000 + Long.parseLong(text(time.get(1))));
  }

  /** A job and where the list goes on after it. */
  record Listed(String jobId, String nextToken) {}

  /** Jobs after a token, newest first; the token of the first page is empty. */
  CompletionStage<List<Listed>> list(Optional<String> tenant, String token, int count) {
    Range<Double> older =
        token.isEmpty()
            ? Range.unbounded()
            : Range.from(
                Range.Boundary.unbounded(), Range.Boundary.excluding((double) time(token)));
    String list = tenant.map(keys::jobsOf).orElseGet(keys::jobs);
    return redis
        .call(r -> r.zrevrangebyscoreWithScores(list, older, Limit.from(count)))
        .thenApply(
            jobs ->
                jobs.stream()
                    .map(
                        job ->
                            new Listed(text(job.getValue()), Long.toString((long) job.getScore())))
                    .toList());
  }

  private static long time(String token) {
    try {
      return Long.parseLong(token);
    } catch (NumberFormatException e) {
      throw BitloomException.invalid("page_token", token, "must be a token of a page before");
    }
  }

  /** Remembers a bucket; costs nothing if it is known here. */
  void addBucket(Bucket bucket) {
    if (knownBuckets.add(bucket)) {
      redis
          .call(r -> r.sadd(keys.buckets(), bytes(Keys.id(bucket))))
          .whenComplete(
              (added, e) -> {
                if (e != null) {
                  knownBuckets.remove(bucket);
                }
              });
    }
  }

  CompletionStage<Set<Bucket>> buckets() {
    return redis
        .call(r -> r.smembers(keys.buckets()))
        .thenApply(
            ids -> ids.stream().map(id -> Keys.bucketOf(text(id))).collect(Collectors.toSet()));
  }

  CompletionStage<Void> putModel(String name, ByteString description) {
    return redis
        .call(r -> r.hset(keys.models(), Map.of(name, description.toByteArray())))
        .thenApply(added -> null);
  }

  CompletionStage<Map<String, ByteString>> models() {
    return redis
        .call(r -> r.hgetall(keys.models()))
        .thenApply(
            models -> {
              Map<String, ByteString> byName = new HashMap<>();
              models.forEach((name, value) -> byName.put(name, ByteString.copyFrom(value)));
              return byName;
            });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
