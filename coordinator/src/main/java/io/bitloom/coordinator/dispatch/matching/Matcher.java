package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.ReadyBuckets;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.v1.StageTimes;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/**
 * Leases batches for the workers that ask for one, as the {@link BatchFormer} decides. All methods
 * but the constructor and {@link #close} are called in the dispatch loop.
 */
public final class Matcher implements AutoCloseable {

  private static final Duration AGEING = Duration.ofMinutes(1);
  private static final Duration RANK_AGAIN = Duration.ofMillis(500);
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofMillis(500);

  private final DispatchLoop loop;
  private final Leases leases;
  private final ReadyBuckets readyBuckets;
  private final Backlog backlog;
  private final Duration leaseDuration;
  private final Speeds speeds;
  private final DispatchMetrics metrics;
  private final BatchFormer former;
  private final Subscription onReady;

  private final Set<BatchTaker> workers = new LinkedHashSet<>();
  private final Set<BatchTaker> leasing = new LinkedHashSet<>();
  private Future<?> nextMatch = CompletableFuture.completedFuture(null);
  private BucketWeights weights = BucketWeights.UNKNOWN;
  private boolean ranking;
  private long rankedAt;
  private boolean stopped;

  /**
   * @param maxBatchDelay how long a batch that is not full waits for more prompts
   */
  public Matcher(
      DispatchLoop loop,
      JobQueue queue,
      Duration leaseDuration,
      Duration maxBatchDelay,
      Arrivals arrivals,
      Speeds speeds,
      DispatchMetrics metrics) {
    this.loop = loop;
    this.leases = queue.leases();
    this.readyBuckets = queue.ready();
    this.backlog = queue.backlog();
    this.leaseDuration = leaseDuration;
    this.speeds = speeds;
    this.metrics = metrics;
    this.former = new BatchFormer(maxBatchDelay, AGEING, arrivals::expectedIn);
    arrivals.onQuiet(() -> loop.execute(this::match));
    this.onReady = readyBuckets.onReady(bucket -> loop.execute(() -> ready(bucket)));
  }

  /** From now on a worker may get batches. */
  public void add(BatchTaker worker) {
    workers.add(worker);
    match();
  }

  public void remove(BatchTaker worker) {
    workers.remove(worker);
  }

  /** A worker drew a batch of so many images. */
  public void drawn(Bucket bucket, StageTimes times, int images) {
    speeds.measured(bucket, times, images);
  }

  /** From now on nobody gets a batch. */
  public void stop() {
    stopped = true;
    nextMatch.cancel(false);
  }

  private void ready(Bucket bucket) {
    former.ready(bucket, System.nanoTime());
    match();
  }

  /**
   * Leases batches for the workers that want one, or sees to it that this is tried in time. To be
   * called whenever a worker wants more, or may get what it did not before.
   */
  public void match() {
    loop.guard(this::matchNow);
  }

  private void matchNow() {
    nextMatch.cancel(false);
    Set<Bucket> ready = readyBuckets.buckets();
    if (stopped || ready.isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    List<BatchTaker> waiting = waiting();
    if (waiting.isEmpty() || rank(ready, now)) {
      return;
    }
    long wake = Long.MAX_VALUE;
    for (BatchTaker worker : waiting) {
      BatchFormer.Decision decision =
          former.decide(worker.profile(), worker.batches() == 0, ready, now);
      if (decision instanceof BatchFormer.Draw draw) {
        lease(worker, draw);
      } else if (decision instanceof BatchFormer.WaitUntil wait) {
        wake = Math.min(wake, wait.nanos());
      }
    }
    if (wake != Long.MAX_VALUE) {
      matchIn(Duration.ofNanos(wake - now));
    }
  }

  private void matchIn(Duration delay) {
    nextMatch.cancel(false);
    nextMatch = loop.schedule(this::match, delay);
  }

  /** Who has nothing to do goes first. */
  private List<BatchTaker> waiting() {
    return workers.stream()
        .filter(worker -> worker.wantsBatch() && !leasing.contains(worker))
        .sorted(Comparator.comparingInt(BatchTaker::batches))
        .toList();
  }

  /**
   * Sees to it that the priorities of ready buckets are known and not too old.
   *
   * @return whether matching has to wait for that
   */
  private boolean rank(Set<Bucket> ready, long now) {
    boolean ranked = former.ranked(ready, now);
    boolean old = ready.size() > 1 && now - rankedAt > RANK_AGAIN.toNanos();
    if (!ranking && (!ranked || old)) {
      ranking = true;
      loop.after(backlog::buckets, this::ranked);
    }
    return !ranked;
  }

  private void ranked(List<BucketBacklog> waiting, Throwable error) {
    ranking = false;
    long now = System.nanoTime();
    rankedAt = now;
    if (error == null) {
      weights = BucketWeights.of(waiting);
      waiting.forEach(
          of -> former.rank(of.bucket(), of.topPriority(), weights.of(of.bucket()), now));
      match();
    } else {
      DispatchLoop.report("look at priorities", error);
      matchIn(PAUSE_AFTER_ERROR);
    }
  }

  private void lease(BatchTaker worker, BatchFormer.Draw draw) {
    leasing.add(worker);
    Map<String, Integer> spread = readyBuckets.buckets().size() > 1 ? weights.spread() : Map.of();
    loop.after(
        () ->
            leases.lease(
                draw.bucket(),
                worker.profile().workerId(),
                draw.maxImages(),
                leaseDuration,
                spread),
        (batch, error) -> leased(worker, draw, batch, error),
        worker::fail);
  }

  private void leased(
      BatchTaker worker, BatchFormer.Draw draw, Optional<LeasedBatch> batch, Throwable error) {
    leasing.remove(worker);
    if (error != null) {
      DispatchLoop.report("lease for " + worker.profile().workerId(), error);
      matchIn(PAUSE_AFTER_ERROR);
      return;
    }
    batch.ifPresent(leased -> give(worker, draw, leased));
    if (!readyBuckets.buckets().contains(draw.bucket())) {
      former.empty(draw.bucket(), System.nanoTime());
    }
    match();
  }

  private void give(BatchTaker worker, BatchFormer.Draw draw, LeasedBatch batch) {
    if (worker.take(batch)) {
      former.drawn(draw.bucket(), batch.images(), draw.maxImages(), System.nanoTime());
      metrics.batch(draw.bucket(), batch.images(), draw.maxImages());
    } else {
      List<TaskRef> prompts = batch.tasks().stream().map(LeasedTask::task).toList();
      DispatchLoop.callAndReport("release prompts", () -> leases.release(batch.lease(), prompts));
    }
  }

  /** Hears no more of ready buckets. */
  @Override
  public void close() {
    onReady.close();
  }
}
