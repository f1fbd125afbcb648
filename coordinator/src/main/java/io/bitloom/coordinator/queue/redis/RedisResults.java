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
  private final ResultPages pages;

  public RedisResults(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
    this.pages = new ResultPages(redis, keys);
  }

  @Override
  public CompletionStage<List<ResultRecord>> read(String jobId, long afterCursor, int count) {
    return pages
        .read(jobId, afterCursor, Math.min(count, MOST_PER_CALL))
        .thenCompose(
            entries -> {
              if (entries.isEmpty()) {
                return JobErrors.failed(JobErrors.notFound(jobId));
              }
              List<ResultEntries.Outcome> outcomes = new ArrayList<>(entries.get().size());
              for (byte[] entry : entries.get()) {
                outcomes.add(
                    ResultEntries.read(afterCursor + outcomes.size() + 1, Tasks.unsafeWrap(entry)));
              }
              return withPayloads(jobId, outcomes);
            });
  }

  @Override
  public CompletionStage<List<ResultRecord>> failures(String jobId, long from, int count) {
    int most = Math.min(count, MOST_PER_CALL);
    return redis
        .call(r -> r.getrange(keys.failures(jobId), 4 * from, 4 * (from + most) - 1))
        .thenCombine(pages.layout(jobId), (cursors, layout) -> at(jobId, layout, cursors))
        .thenCompose(stage -> stage)
        .thenCompose(outcomes -> withPayloads(jobId, outcomes));
  }

  /** The outcomes at u32 cursors. */
  private CompletionStage<List<ResultEntries.Outcome>> at(
      String jobId, ResultPages.Layout layout, byte[] cursors) {
    if (!layout.there()) {
      return JobErrors.failed(JobErrors.notFound(jobId));
    }
    List<CompletionStage<ResultEntries.Outcome>> outcomes = new ArrayList<>();
    for (ByteBuffer left = ByteBuffer.wrap(cursors); left.hasRemaining(); ) {
      long cursor = Integer.toUnsignedLong(left.getInt());
      outcomes.add(
          pages
              .read(jobId, layout, cursor - 1)
              .thenApply(entry -> ResultEntries.read(cursor, Tasks.unsafeWrap(entry))));
    }
    return Stages.all(outcomes);
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
