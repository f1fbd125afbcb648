package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.KeyValue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Reads the outcomes of a job. */
public final class RedisResults implements ResultLog {

  /** More results than this are not read in one call of Redis. */
  static final int MOST_PER_CALL = 256;

  private final RedisConnection redis;
  private final Keys keys;

  public RedisResults(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  @Override
  public CompletionStage<List<ResultRecord>> read(String jobId, long afterCursor, int count) {
    int most = Math.min(count, MOST_PER_CALL);
    return ifThere(
        jobId,
        redis
            .call(r -> r.lrange(keys.results(jobId), afterCursor, afterCursor + most - 1))
            .thenCompose(
                entries -> {
                  List<ResultEntries.Outcome> outcomes = new ArrayList<>(entries.size());
                  for (byte[] entry : entries) {
                    outcomes.add(
                        ResultEntries.read(
                            afterCursor + outcomes.size() + 1, Tasks.unsafeWrap(entry)));
                  }
                  return withPayloads(jobId, outcomes);
                }));
  }

  @Override
  public CompletionStage<List<ResultRecord>> failures(String jobId, long from, int count) {
    int most = Math.min(count, MOST_PER_CALL);
    return ifThere(
        jobId,
        redis
            .call(r -> r.getrange(keys.failures(jobId), 4 * from, 4 * (from + most) - 1))
            .thenCompose(
                cursors -> {
                  List<CompletionStage<ResultEntries.Outcome>> outcomes = new ArrayList<>();
                  for (ByteBuffer left = ByteBuffer.wrap(cursors); left.hasRemaining(); ) {
                    outcomes.add(outcome(jobId, Integer.toUnsignedLong(left.getInt())));
                  }
                  return Stages.all(outcomes);
                })
            .thenCompose(outcomes -> withPayloads(jobId, outcomes)));
  }

  private CompletionStage<ResultEntries.Outcome> outcome(String jobId, long cursor) {
    return redis
        .call(r -> r.lindex(keys.results(jobId), cursor - 1))
        .thenApply(entry -> ResultEntries.read(cursor, Tasks.unsafeWrap(entry)));
  }

  private <T> CompletionStage<T> ifThere(String jobId, CompletionStage<T> found) {
    return found
        .thenCombine(
            redis.call(r -> r.exists(keys.jobHash(jobId))),
            (value, exists) ->
                exists > 0
                    ? CompletableFuture.completedStage(value)
                    : JobErrors.<T>failed(JobErrors.notFound(jobId)))
        .thenCompose(stage -> stage);
  }

  private CompletionStage<List<ResultRecord>> withPayloads(
      String jobId, List<ResultEntries.Outcome> outcomes) {
    if (outcomes.isEmpty()) {
      return CompletableFuture.completedStage(List.of());
    }
    String[] groups =
        outcomes.stream()
            .map(outcome -> Long.toString(outcome.group()))
            .distinct()
            .toArray(String[]::new);
    return redis
        .call(r -> r.hmget(keys.prompts(jobId), groups))
        .thenApply(
            found -> {
              Map<Long, PayloadGroup> payloads = new HashMap<>();
              for (KeyValue<String, byte[]> group : found) {
                long id = Long.parseLong(group.getKey());
                payloads.put(id, new PayloadGroup(id, Tasks.unsafeWrap(group.getValue())));
              }
              return outcomes.stream()
                  .map(
                      outcome ->
                          outcome.with(payloads.get(outcome.group()).payload(outcome.offset())))
                  .toList();
            });
  }
}
