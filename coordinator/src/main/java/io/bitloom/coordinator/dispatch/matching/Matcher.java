package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.WaitingWorkers.Member;
import io.bitloom.coordinator.dispatch.matching.WaitingWorkers.Place;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketRank;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

/**
 * Leases batches for the workers that ask for one, as the {@link BatchFormer} decides. All methods
 * but the constructor and {@link #close} are called in the dispatch loop.
 *
 * <p>Nobody looks at all workers when something happens. A worker that waits is looked at when it
 * changes; when a bucket that it can draw gets prompts, need not wait any longer for more, or may
 * be asked for more leases than before; when priorities are known; and some time after an error.
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

  private final WaitingWorkers workers = new WaitingWorkers();
  private final Map<Bucket, BucketDemand> demands = new HashMap<>();
  private Future<?> afterError = CompletableFuture.completedFuture(null);
  private BucketWeights weights = BucketWeights.UNKNOWN;
  private boolean ranking;
  private long rankedAt;
  private boolean stopped;

  /** What can be leased at a moment at which somebody waits. */
  private record Offer(Set<Bucket> ready, long now) {}

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
    this.former =
        new BatchFormer(
            maxBatchDelay, AGEING, arrivals::expectedIn, bucket -> demand(bucket).window().open());
    arrivals.onQuiet(bucket -> loop.execute(() -> lookAtShards(bucket)));
    this.onReady = readyBuckets.onReady(bucket -> loop.execute(() -> ready(bucket)));
  }

  // What happens

  /** From now on a worker may get batches. */
  public void add(BatchTaker worker) {
    loop.guard(() -> look(workers.add(worker)));
  }

  public void remove(BatchTaker worker) {
    workers.remove(worker.profile());
  }

  /** A worker wants a batch, has fewer than before, or can draw other buckets. */
  public void changed(WorkerProfile worker) {
    loop.guard(() -> workers.find(worker).ifPresent(this::look));
  }

  /** A worker drew a batch of so many images. */
  public void drawn(WorkerProfile worker, Bucket bucket, StageTimes times, int images) {
    speeds.measured(worker.pool(), bucket, times, images);
  }

  /** From now on nobody gets a batch. */
  public void stop() {
    stopped = true;
    afterError.cancel(false);
  }

  private void ready(Bucket bucket) {
    former.ready(bucket, System.nanoTime());
    look(bucket);
  }

  // Who is looked at

  private Optional<Offer> offer() {
    Set<Bucket> ready = readyBuckets.buckets();
    long now = System.nanoTime();
    return stopped || workers.isEmpty() || ready.isEmpty() || !ranked(ready, now)
        ? Optional.empty()
        : Optional.of(new Offer(ready, now));
  }

  private void look(Member worker) {
    workers.place(worker);
    if (worker.place() != null) {
      offer().ifPresent(offer -> look(worker, offer));
    }
  }

  private void look(Bucket bucket) {
    offer().ifPresent(offer -> look(bucket, Place.FIRST, offer));
  }

  private void lookAtShards(Bucket whole) {
    readyBuckets.buckets().stream()
        .filter(bucket -> bucket.whole().equals(whole))
        .forEach(this::look);
  }

  private void lookAtAll() {
    offer().ifPresent(offer -> lookAtAll(Place.FIRST, offer));
  }

  /** Looks at those who can draw a bucket, from a place on, until it may be asked for no more. */
  private void look(Bucket bucket, Place from, Offer offer) {
    if (offer.ready().contains(bucket)) {
      look(bucket.model(), from, Set.of(bucket), offer);
    }
  }

  /** Looks at those who can draw anything, from a place on. */
  private void lookAtAll(Place from, Offer offer) {
    offer.ready().stream()
        .collect(Collectors.groupingBy(Bucket::model, Collectors.toSet()))
        .forEach((model, ofModel) -> look(model, from, ofModel, offer));
  }

  private void look(String model, Place from, Set<Bucket> buckets, Offer offer) {
    Optional<Member> next = workers.from(model, from);
    while (next.isPresent()) {
      Place place = next.get().place();
      if (buckets.stream().noneMatch(bucket -> demand(bucket).window().open())) {
        buckets.forEach(bucket -> demand(bucket).heldUp(place));
        return;
      }
      WorkerProfile profile = next.get().profile();
      if (buckets.stream().anyMatch(bucket -> profile.capacity(bucket) > 0)) {
        look(next.get(), offer);
      }
      next = workers.from(model, place.next());
    }
  }

  /** Leases a batch for a worker, or sees to it that it is looked at in time. */
  private void look(Member worker, Offer offer) {
    workers.place(worker);
    if (worker.place() == null) {
      return;
    }
    BatchFormer.Decision decision =
        former.decide(worker.profile(), worker.place().batches() == 0, offer.ready(), offer.now());
    if (decision instanceof BatchFormer.Draw draw) {
      lease(worker, draw, offer);
    } else if (decision instanceof BatchFormer.Wait wait) {
      wait.forming().forEach((bucket, end) -> demand(bucket).lookBy(end));
      wait.closed().forEach(bucket -> demand(bucket).heldUp(worker.place()));
    }
  }

  private BucketDemand demand(Bucket bucket) {
    return demands.computeIfAbsent(bucket, key -> new BucketDemand(loop, () -> look(bucket)));
  }

  // Priorities

  /**
   * Sees to it that the priorities of ready buckets are known and not too old. If they are not
   * known, matching has to wait for them.
   */
  private boolean ranked(Set<Bucket> ready, long now) {
    boolean ranked = former.ranked(ready, now);
    boolean old = ready.size() > 1 && now - rankedAt > RANK_AGAIN.toNanos();
    if (!ranking && (!ranked || old)) {
      ranking = true;
      loop.after(() -> backlog.ranks(ready), this::ranked);
    }
    return ranked;
  }

  private void ranked(List<BucketRank> ranks, Throwable error) {
    ranking = false;
    long now = System.nanoTime();
    rankedAt = now;
    if (error == null) {
      weights = BucketWeights.of(ranks);
      ranks.forEach(of -> former.rank(of.bucket(), of.topPriority(), weights.of(of.bucket()), now));
      lookAtAll();
    } else {
      DispatchLoop.report("look at priorities", error);
      lookAfterPause();
    }
  }

  private void lookAfterPause() {
    if (afterError.isDone()) {
      afterError = loop.schedule(this::lookAtAll, PAUSE_AFTER_ERROR);
    }
  }

  // Leases

  private void lease(Member worker, BatchFormer.Draw draw, Offer offer) {
    workers.leasing(worker);
    demand(draw.bucket()).window().asked();
    Map<String, Integer> spread = offer.ready().size() > 1 ? weights.spread() : Map.of();
    loop.after(
        () ->
            leases.lease(
                draw.bucket(),
                worker.profile().workerId(),
                draw.maxImages(),
                leaseDuration,
                spread),
        (batch, error) -> leased(worker, draw, batch, error),
        worker.taker()::fail);
  }

  private void leased(
      Member worker, BatchFormer.Draw draw, Optional<LeasedBatch> batch, Throwable error) {
    Bucket bucket = draw.bucket();
    BucketDemand demand = demand(bucket);
    boolean got = error == null && batch.isPresent();
    boolean left = readyBuckets.buckets().contains(bucket);
    demand.window().answered(got && left);
    if (error != null) {
      workers.leased(worker, false);
      DispatchLoop.report("lease for " + worker.profile().workerId(), error);
      lookAfterPause();
      return;
    }
    boolean forming = former.mayBePartial(bucket);
    loop.guard(() -> batch.ifPresent(leased -> give(worker, draw, leased)), worker.taker()::fail);
    workers.leased(worker, got);
    if (!left) {
      former.empty(bucket, System.nanoTime());
    } else if (forming && !former.mayBePartial(bucket)) {
      demand.heldUp(Place.FIRST); // nobody has to wait for a full batch any more
    }
    offer().ifPresent(offer -> lookAfterLease(worker, bucket, offer));
  }

  /** The worker is the last to be looked at, unless it is among those whom the bucket held up. */
  private void lookAfterLease(Member worker, Bucket bucket, Offer offer) {
    Optional<Place> heldUp = demand(bucket).takeHeldUp();
    if (offer.ready().contains(bucket)) {
      heldUp.ifPresent(from -> look(bucket, from, offer));
    } else {
      heldUp.ifPresent(from -> lookAtAll(from, offer));
    }
    look(worker, offer);
  }

  private void give(Member worker, BatchFormer.Draw draw, LeasedBatch batch) {
    if (worker.taker().take(batch)) {
      former.drawn(draw.bucket(), batch.images(), draw.maxImages(), System.nanoTime());
      metrics.batch(draw.bucket(), batch.images(), draw.maxImages());
      metrics.waited(draw.bucket(), batch.waits());
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
