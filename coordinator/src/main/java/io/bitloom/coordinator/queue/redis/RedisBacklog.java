package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.BucketLine;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Looks at every bucket that ever had a prompt. */
public final class RedisBacklog implements Backlog {

  private final JobIndex index;
  private final BucketScripts buckets;

  public RedisBacklog(JobIndex index, BucketScripts buckets) {
    this.index = index;
    this.buckets = buckets;
  }

  @Override
  public CompletionStage<List<BucketBacklog>> buckets() {
    return snapshots().thenApply(all -> all.stream().map(BucketScripts.Snapshot::backlog).toList());
  }

  @Override
  public CompletionStage<List<BucketLine>> lines() {
    return index.buckets().thenCompose(all -> Stages.all(all.stream().map(buckets::line).toList()));
  }

  /** What waits, and how the notifications of the buckets stand. */
  public CompletionStage<List<BucketScripts.Snapshot>> snapshots() {
    return index
        .buckets()
        .thenCompose(all -> Stages.all(all.stream().map(buckets::snapshot).toList()));
  }
}
