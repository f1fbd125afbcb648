package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.RedisWebhooks;
import io.bitloom.coordinator.queue.redis.Stages;
import io.bitloom.coordinator.queue.redis.SweepTurn;
import io.bitloom.coordinator.queue.redis.UnusedBuckets;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sweeps all active jobs from time to time, as {@link JobSweep} does each of them. Of all
 * coordinators one does so, at a pace that costs Redis little however many jobs there are; after a
 * start or a loss of Redis somebody does it at once, and as fast as it can. Then buckets that
 * nobody uses any more are forgotten. Who sweeps has this coordinator look, too, whether somebody
 * is to be told of a job: whoever was to look may have died.
 */
final class Sweeper {

  private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);

  /** 400 jobs a second, each of which costs Redis some 70 us, are 3 % of a core. */
  private static final int JOBS_AT_ONCE = 20;

  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  /** A bucket of which nothing was leased for so long, and in which nothing is, is forgotten. */
  private static final Duration UNUSED = Duration.ofMinutes(10);

  private final JobSweep jobSweep;
  private final JobIndex index;
  private final UnusedBuckets unusedBuckets;
  private final RedisWebhooks webhooks;
  private final SweepTurn turn;
  private final Timers timers;
  private final AtomicBoolean sweeping = new AtomicBoolean();
  private volatile boolean hurry;
  private volatile boolean again;

  Sweeper(
      JobSweep jobSweep,
      JobIndex index,
      UnusedBuckets unusedBuckets,
      RedisWebhooks webhooks,
      SweepTurn turn,
      Timers timers) {
    this.jobSweep = jobSweep;
    this.index = index;
    this.unusedBuckets = unusedBuckets;
    this.webhooks = webhooks;
    this.turn = turn;
    this.timers = timers;
  }

  /** Begins a sweep if it is this coordinator's turn and none is under way here. */
  void sweepInTurn() {
    if (!sweeping.get()) {
      turn.take()
          .whenComplete(
              (answer, e) -> {
                if (e != null) {
                  LOG.debug("cannot ask whose turn to sweep it is: {}", e.toString());
                } else if (answer.now()) {
                  sweep();
                }
              });
    }
  }

  /** Has everything swept soon, by whomever: calls may have broken off, or a sweeper died. */
  void sweepAfterLoss() {
    sweepAfterLoss(System.nanoTime());
  }

  private void sweepAfterLoss(long lostNanos) {
    Runnable askAgain = () -> sweepAfterLoss(lostNanos);
    turn.takeAfterLoss(Duration.ofNanos(System.nanoTime() - lostNanos))
        .whenComplete(
            (answer, e) -> {
              if (e != null) {
                timers.in(PAUSE_AFTER_ERROR, askAgain);
              } else if (answer.now()) {
                hurry = true;
                again = true;
                sweep();
              } else {
                answer.askAgain().ifPresent(delay -> timers.in(delay, askAgain));
              }
            });
  }

  private void sweep() {
    if (!sweeping.compareAndSet(false, true)) {
      return; // that sweep hurries, and begins once more at its end
    }
    again = false;
    webhooks.mayBeDue();
    index
        .activeJobs()
        .thenCompose(active -> index.checkBuckets().thenApply(done -> active))
        .thenCompose(active -> new Round(active.iterator()).sweep())
        .thenCompose(done -> unusedBuckets.drop(UNUSED))
        .whenComplete(
            (done, e) -> {
              sweeping.set(false);
              if (e != null) {
                LOG.warn("a sweep broke off, trying again: {}", e.toString());
              } else if (again) {
                sweep();
              } else {
                hurry = false;
              }
            });
  }

  /** One walk over all active jobs. */
  private final class Round {

    private final Iterator<JobIndex.Active> left;
    private final Map<JobState, Long> states = new EnumMap<>(JobState.class);

    private Round(Iterator<JobIndex.Active> active) {
      this.left = active;
    }

    private CompletionStage<Void> sweep() {
      return sweepEach(JOBS_AT_ONCE)
          .thenCompose(done -> left.hasNext() ? afterPause(this::goOn) : sayStates());
    }

    private CompletionStage<Void> sweepEach(int most) {
      return left.hasNext() && most > 0
          ? jobSweep
              .sweep(left.next())
              .thenAccept(this::count)
              .thenCompose(done -> sweepEach(most - 1))
          : Stages.nothing();
    }

    /** Only metrics go by it. */
    private CompletionStage<Void> sayStates() {
      return index
          .putStates(states)
          .exceptionally(
              e -> {
                LOG.debug("how many jobs are open is not noted: {}", e.toString());
                return null;
              });
    }

    private void count(Optional<JobState> state) {
      state.ifPresent(known -> states.merge(known, 1L, Long::sum));
    }

    /** A sweep that lasts longer than a turn goes on as long as nobody else has begun one. */
    private CompletionStage<Void> goOn() {
      return turn.keep().thenCompose(mine -> mine ? sweep() : Stages.nothing());
    }
  }

  private CompletionStage<Void> afterPause(Supplier<CompletionStage<Void>> next) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    timers.in(
        hurry ? Duration.ZERO : PAUSE,
        () ->
            next.get()
                .whenComplete(
                    (done, e) -> {
                      if (e != null) {
                        end.completeExceptionally(e);
                      } else {
                        end.complete(null);
                      }
                    }));
    return end;
  }
}
