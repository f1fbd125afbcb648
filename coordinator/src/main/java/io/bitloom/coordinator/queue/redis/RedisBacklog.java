package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.BucketLine;
import io.bitloom.coordinator.queue.BucketRank;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/** Looks at the buckets that are listed. */
public final class RedisBacklog implements Backlog {

  private final JobIndex index;
  private final BucketScripts buckets;
  private final Keys keys;
  private final ReportTurn reportTurn;

  public RedisBacklog(JobIndex index, BucketScripts buckets, Keys keys, ReportTurn reportTurn) {
    this.index = index;
    this.buckets = buckets;
    this.keys = keys;
    this.reportTurn = reportTurn;
  }

  @Override
  public CompletionStage<Boolean> takeReportTurn(Duration lasts) {
    return reportTurn.take(lasts);
  }

  @Override
  public CompletionStage<Void> leaveReportTurn() {
    return reportTurn.leave();
  }

  @Override
  public CompletionStage<List<BucketBacklog>> buckets() {
    return ofEach(buckets::backlog)
        .thenApply(all -> whole(all, BucketBacklog::bucket, BucketBacklog::with));
  }

  @Override
  public CompletionStage<List<BucketLine>> lines() {
    return ofEach(buckets::line).thenApply(all -> whole(all, BucketLine::bucket, BucketLine::with));
  }

  /** What there is of each bucket as a whole. */
  private static <T> List<T> whole(
      List<T> ofShards, Function<T, Bucket> bucket, BinaryOperator<T> together) {
    Map<Bucket, T> whole = new LinkedHashMap<>();
    ofShards.forEach(shard -> whole.merge(bucket.apply(shard).whole(), shard, together));
    return List.copyOf(whole.values());
  }

  @Override
  public CompletionStage<List<BucketRank>> ranks(Collection<Bucket> some) {
    return Stages.all(
        some.stream()
            .map(bucket -> standing(bucket).thenApply(BucketScripts.Standing::rank))
            .toList());
  }

  /** How all buckets stand. */
  public CompletionStage<List<BucketScripts.Standing>> standings() {
    return ofEach(this::standing);
  }

  /** Coordinators of data version 1 do not keep the counts. */
  private CompletionStage<BucketScripts.Standing> standing(Bucket bucket) {
    return buckets.rank(bucket, keys.version() > 1);
  }

  private <T> CompletionStage<List<T>> ofEach(Function<Bucket, CompletionStage<T>> look) {
    return index.buckets().thenCompose(all -> Stages.all(all.stream().map(look).toList()));
  }

  /**
   * Counts all buckets anew, one after the other. To be done once no coordinator is at work that
   * does not keep the counts, and before anybody takes them for right.
   */
  public CompletionStage<Void> recount() {
    return index.buckets().thenCompose(all -> recount(all.iterator()));
  }

  private CompletionStage<Void> recount(Iterator<Bucket> left) {
    return left.hasNext()
        ? buckets.recount(left.next()).thenCompose(done -> recount(left))
        : Stages.nothing();
  }
}
