package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Jobs of millions of prompts, and the leases by which workers draw them.
 *
 * <p>No method blocks. Stages complete on a thread of the Redis connection, so whoever continues
 * there must not block either. Errors are {@link io.bitloom.common.error.BitloomException}s: with
 * {@code QUEUE_UNAVAILABLE} the call may or may not have taken effect, and every call but {@link
 * #lease} can simply be repeated (what a lost lease held comes back when the lease expires).
 *
 * <p>A prompt has no outcome until exactly one is taken, and then has that one for good. The counts
 * of a job are changed together with its outcomes.
 */
public final class JobQueue implements AutoCloseable {

  /**
   * @param redis closed by its owner, after the queue
   */
  public JobQueue(RedisConnection redis, QueueSettings settings) {
    throw new UnsupportedOperationException();
  }

  // Jobs

  /**
   * Creates a job that accepts prompts, or finds the one that this tenant's same request id made.
   * Fails with {@code REQUEST_ID_REUSED} if that one has another spec, weight or priority.
   */
  public CompletionStage<JobRecord> createJob(NewJob job) {
    throw new UnsupportedOperationException();
  }

  /**
   * Appends prompts, all or none; durable when the stage completes. Prompts below the job's count
   * are there already and are skipped. May be called again before the last stage is complete. Fails
   * with {@code JOB_NOT_FOUND}, {@code JOB_NOT_ACCEPTING}, or {@code OFFSET_OUT_OF_RANGE} if the
   * offset is above the job's count.
   *
   * @param offset place of the first prompt in the job
   * @param prompts efficient from 64 on; at most 10,000
   * @return the job's count of prompts afterwards
   */
  public CompletionStage<Long> append(String jobId, long offset, List<NewPrompt> prompts) {
    throw new UnsupportedOperationException();
  }

  /**
   * Ends the appending; repeating it changes nothing. Fails with {@code JOB_NOT_FOUND}, with {@code
   * PROMPT_COUNT_MISMATCH}, or with {@code JOB_NOT_ACCEPTING} if the job was cancelled.
   */
  public CompletionStage<JobRecord> seal(String jobId, OptionalLong expectedPrompts) {
    throw new UnsupportedOperationException();
  }

  /** Fails with {@code JOB_NOT_FOUND}. */
  public CompletionStage<JobRecord> get(String jobId) {
    throw new UnsupportedOperationException();
  }

  /**
   * Jobs, newest first.
   *
   * @param pageSize at least 1
   * @param pageToken of the page before; empty: the first page. Fails with {@code INVALID_FIELD} if
   *     it is not such a token
   */
  public CompletionStage<JobPage> list(JobFilter filter, int pageSize, String pageToken) {
    throw new UnsupportedOperationException();
  }

  /**
   * Cancels what no worker holds; the job is terminal when the workers are done with the rest.
   * Repeating it changes nothing, and neither does cancelling a terminal job. Fails with {@code
   * JOB_NOT_FOUND}.
   */
  public CompletionStage<JobRecord> cancel(String jobId) {
    throw new UnsupportedOperationException();
  }

  /**
   * Results in the order in which they were committed, at most {@code count}; fewer, perhaps none,
   * if there are no more yet. Fails with {@code JOB_NOT_FOUND}.
   *
   * @param afterCursor of the last result that the reader has; 0: from the start
   */
  public CompletionStage<List<ResultRecord>> results(String jobId, long afterCursor, int count) {
    throw new UnsupportedOperationException();
  }

  /**
   * Calls the listener after every change of the job, and after every time when changes may have
   * been missed. Only changes after the stage is complete are certain to be told.
   */
  public CompletionStage<Subscription> onJobChanged(String jobId, Runnable listener) {
    throw new UnsupportedOperationException();
  }

  // Leases

  /**
   * Leases the prompts of a bucket that are to be drawn next: tenants by their weights, the jobs of
   * a tenant by priority and age. Empty if nothing waits.
   *
   * @param worker who will hold it
   * @param maxImages a batch asks for at most this many images, or is one prompt
   */
  public CompletionStage<Optional<LeasedBatch>> lease(
      Bucket bucket, String worker, int maxImages, Duration duration) {
    throw new UnsupportedOperationException();
  }

  /**
   * Lets leases expire {@code duration} from now.
   *
   * @return those that are not the worker's, or no longer: they expired or every prompt is done
   */
  public CompletionStage<Set<LeaseRef>> renew(
      String worker, Collection<LeaseRef> leases, Duration duration) {
    throw new UnsupportedOperationException();
  }

  /**
   * Takes outcomes of prompts of one lease: each is durable and visible when the stage completes,
   * or superseded. Many in one call are much cheaper than many calls.
   *
   * @return a verdict for each outcome, in order: COMMITTED or SUPERSEDED
   */
  public CompletionStage<List<TaskVerdict>> commit(LeaseRef lease, List<TaskOutcome> outcomes) {
    throw new UnsupportedOperationException();
  }

  /**
   * Takes failures of prompts of one lease: a prompt waits for its next attempt, or has failed for
   * good if this was its last.
   *
   * @return a verdict for each failure, in order
   */
  public CompletionStage<List<TaskVerdict>> fail(LeaseRef lease, List<TaskFailure> failures) {
    throw new UnsupportedOperationException();
  }

  /** Hands prompts back that were not started; this is not an attempt, and they go next. */
  public CompletionStage<Void> release(LeaseRef lease, List<TaskRef> tasks) {
    throw new UnsupportedOperationException();
  }

  /** Lets a lease expire now because its worker is lost; counts as an attempt. */
  public CompletionStage<Void> expire(LeaseRef lease) {
    throw new UnsupportedOperationException();
  }

  // Work

  /**
   * Buckets in which prompts may be ready to be leased: every one in which there are some, and
   * perhaps a few in which a lease will find none (then it leaves this set). Kept here by
   * notifications; asking costs nothing.
   */
  public Set<Bucket> readyBuckets() {
    throw new UnsupportedOperationException();
  }

  /**
   * Calls the listener whenever prompts become ready in a bucket that had none, after the bucket
   * was added to {@link #readyBuckets()}. Whoever asks for ready buckets after subscribing misses
   * nothing.
   */
  public Subscription onReady(Consumer<Bucket> listener) {
    throw new UnsupportedOperationException();
  }

  /** What waits in every bucket that ever had a prompt. */
  public CompletionStage<List<BucketBacklog>> backlog() {
    throw new UnsupportedOperationException();
  }

  // Models

  /**
   * Remembers a model, so that it is known while no worker has it.
   *
   * @param description opaque to the queue; replaces the one before
   */
  public CompletionStage<Void> announceModel(String name, ByteString description) {
    throw new UnsupportedOperationException();
  }

  /** Every model that was ever announced, by name. */
  public CompletionStage<Map<String, ByteString>> models() {
    throw new UnsupportedOperationException();
  }

  /** Ends timers and subscriptions of this coordinator; leases and jobs stay. */
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
