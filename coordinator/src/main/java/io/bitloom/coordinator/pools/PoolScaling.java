package io.bitloom.coordinator.pools;

import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.pools.PoolBacklog.Moment;
import io.bitloom.coordinator.pools.PoolPolicy.Demand;
import io.bitloom.coordinator.pools.PoolPolicy.State;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.PoolRecords;
import io.bitloom.coordinator.queue.ReadyBuckets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;

/**
 * How pools stand and how many workers they should have. That is looked at when somebody asks, at
 * most once a second for each pool by all coordinators together, and kept in the queue: so all of
 * them say the same, and go on where another one was.
 */
public final class PoolScaling {

  /** So long what was found is good for everybody. */
  private static final Duration FRESH = Duration.ofSeconds(1);

  /** For so long a pool is remembered that nobody asks for. */
  private static final Duration KEPT = Duration.ofDays(7);

  /** Coordinators that look at the same time do not do so again for ever. */
  private static final int ATTEMPTS = 5;

  /** Then nobody tells of it in metrics any more. */
  private static final Duration SHOWN = Duration.ofMinutes(5);

  private final PoolRecords records;
  private final PoolBacklog backlog;
  private final ReadyBuckets ready;
  private final ScheduledExecutorService timer;
  private CompletionStage<Moment> moment =
      CompletableFuture.failedStage(new IllegalStateException());
  private long momentNanos = System.nanoTime() - FRESH.toNanos();

  public PoolScaling(
      JobQueue queue, Speeds speeds, ModelRegistry models, ScheduledExecutorService timer) {
    this.records = queue.pools();
    this.ready = queue.ready();
    this.timer = timer;
    this.backlog = new PoolBacklog(queue.backlog(), speeds, models);
  }

  /** Begins to tell whether a pool needs workers; until the watch is closed. */
  public PoolWatch watch(PoolTarget target, PoolWatch.Listener listener) {
    return PoolWatch.start(this, target, ready, timer, listener);
  }

  /** How a pool stands, as of a second ago or later. */
  public CompletionStage<PoolStanding> standing(PoolTarget target) {
    return records.read(target.id()).thenCompose(kept -> standing(target, kept));
  }

  private CompletionStage<PoolStanding> standing(PoolTarget target, PoolRecords.Kept kept) {
    Optional<PoolStanding> before = PoolStanding.parse(kept.record());
    long age = kept.now().toEpochMilli() - before.map(PoolStanding::atMillis).orElse(0L);
    if (before.isPresent() && age >= 0 && age < FRESH.toMillis()) {
      return CompletableFuture.completedStage(before.get());
    }
    return recent().thenCompose(now -> advance(target, kept, now)).thenApply(Found::standing);
  }

  /** How a pool stands now: something has happened. */
  CompletionStage<PoolStanding> standingNow(PoolTarget target) {
    return standingNow(target, ATTEMPTS);
  }

  private CompletionStage<PoolStanding> standingNow(PoolTarget target, int attempts) {
    return backlog
        .now()
        .thenCombine(records.read(target.id()), Looked::new)
        .thenCompose(looked -> advance(target, looked.kept(), looked.moment()))
        .thenCompose(found -> settled(target, attempts, found));
  }

  private CompletionStage<PoolStanding> settled(PoolTarget target, int attempts, Found found) {
    return found.first() || attempts == 1
        ? CompletableFuture.completedStage(found.standing())
        : standingNow(target, attempts - 1);
  }

  private record Looked(Moment moment, PoolRecords.Kept kept) {}

  /**
   * How a pool stands.
   *
   * @param first whether it was found here, and not by another coordinator, perhaps before
   */
  private record Found(boolean first, PoolStanding standing) {}

  private synchronized CompletionStage<Moment> recent() {
    long now = System.nanoTime();
    if (now - momentNanos >= FRESH.toNanos()) {
      momentNanos = now;
      moment = backlog.now();
    }
    return moment;
  }

  private CompletionStage<Found> advance(PoolTarget target, PoolRecords.Kept kept, Moment moment) {
    long now = kept.now().toEpochMilli();
    Demand demand = moment.of(target);
    State state =
        PoolStanding.parse(kept.record())
            .map(PoolStanding::state)
            .orElseGet(() -> State.initial(now, demand));
    PoolStanding found =
        PoolStanding.of(
            target,
            now,
            demand,
            moment.connected(target),
            target.policy().next(state, now, demand));
    return records
        .replace(target.id(), kept.version(), found.toBytes(), KEPT)
        .thenApply(
            after ->
                new Found(
                    after.version() == kept.version() + 1 && after.record().equals(found.toBytes()),
                    PoolStanding.parse(after.record()).orElse(found)));
  }

  /** The pools that somebody has asked for of late, as they stood then. */
  public CompletionStage<List<PoolStanding>> asked() {
    return records
        .since(SHOWN)
        .thenApply(
            all -> all.stream().flatMap(record -> PoolStanding.parse(record).stream()).toList());
  }
}
