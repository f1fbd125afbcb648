package io.bitloom.coordinator.queue;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** How workers draw prompts. See {@link JobQueue} for what all calls share. */
public interface Leases {

  /**
   * Leases the prompts of a bucket that are to be drawn next: tenants by their weights, the jobs of
   * a tenant by priority and age. Empty if nothing waits.
   *
   * @param worker who will hold it
   * @param maxImages a batch asks for at most this many images, or is one prompt
   */
  default CompletionStage<Optional<LeasedBatch>> lease(
      Bucket bucket, String worker, int maxImages, Duration duration) {
    return lease(bucket, worker, maxImages, duration, Map.of());
  }

  /**
   * Leases, as above, where tenants wait in several buckets.
   *
   * @param spread such tenants and in how many buckets they wait: their weight is divided among
   *     these
   */
  CompletionStage<Optional<LeasedBatch>> lease(
      Bucket bucket, String worker, int maxImages, Duration duration, Map<String, Integer> spread);

  /**
   * Lets leases expire {@code duration} from now, be that later or earlier than before.
   *
   * @return those that are not the worker's, or no longer: they expired or every prompt is done
   */
  CompletionStage<Set<LeaseRef>> renew(String worker, Collection<LeaseRef> held, Duration duration);

  /**
   * Lets leases expire {@code duration} from now, which a worker brings along.
   *
   * @return the prompts of those that are the worker's still
   */
  CompletionStage<Map<LeaseRef, Set<TaskRef>>> claim(
      String worker, Collection<LeaseRef> held, Duration duration);

  /**
   * Takes outcomes of prompts of one lease: each is durable and visible when the stage completes,
   * or superseded. Many in one call are much cheaper than many calls.
   *
   * @return a verdict for each outcome, in order: COMMITTED or SUPERSEDED
   */
  CompletionStage<List<TaskVerdict>> commit(LeaseRef lease, List<TaskOutcome> outcomes);

  /**
   * Ends a lease soon: each of its prompts has its outcome, by this lease, or was taken back from
   * it. It does not matter if this is never called, but then the lease lasts until it expires.
   */
  void finished(LeaseRef lease);

  /**
   * Takes failures of prompts of one lease: a prompt waits for its next attempt, or has failed for
   * good if this was its last.
   *
   * @return a verdict for each failure, in order
   */
  CompletionStage<List<TaskVerdict>> fail(LeaseRef lease, List<TaskFailure> failures);

  /** Hands prompts back that were not started; this is not an attempt, and they go next. */
  CompletionStage<Void> release(LeaseRef lease, List<TaskRef> tasks);

  /** Lets a lease expire now because its worker is lost; counts as an attempt. */
  CompletionStage<Void> expire(LeaseRef lease);

  /**
   * Calls the listener with the id of every job that is cancelled or expires while workers may hold
   * prompts of it. May miss some: what workers hold then finishes.
   */
  Subscription onStopped(Consumer<String> listener);

  /** Calls the listener with the number of prompts whose last attempt a lost worker had. */
  void onGivenUp(IntConsumer listener);
}
