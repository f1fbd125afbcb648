package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.redis.Appending;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobControl;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobErrors;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.queue.redis.Leases;
import io.bitloom.coordinator.queue.redis.Stages;
import io.bitloom.coordinator.queue.redis.WaitingPrompts;
import io.bitloom.coordinator.queue.upkeep.Deadlines;
import io.bitloom.coordinator.queue.upkeep.Epoch;
import io.bitloom.coordinator.queue.upkeep.LostRequests;
import io.bitloom.coordinator.queue.upkeep.ReadyBuckets;
import io.bitloom.coordinator.queue.upkeep.Reaper;
import io.bitloom.coordinator.queue.upkeep.Sweeper;
import io.bitloom.coordinator.queue.upkeep.WakeListener;
import io.bitloom.coordinator.redis.RedisChannels;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * Jobs of millions of prompts, and the leases by which workers draw them.
 *
 * <p>No method blocks. Stages complete on a thread of the Redis connection, so whoever continues
 * there must not block either. Errors are {@link io.bitloom.common.error.BitloomException}s: with
 * {@code QUEUE_UNAVAILABLE} the call may or may not have taken effect, and every call but {@link
 * #lease} can simply be repeated (what a lost lease held comes back when Redis does).
 *
 * <p>A prompt has no outcome until exactly one is taken, and then has that one for good. The counts
 * of a job are changed together with its outcomes.
 */
public final class JobQueue implements AutoCloseable {

  /** With what follows it, a loss of all data is mended within five seconds. */
  private static final long EPOCH_MILLIS = 3000;

  /** More results than this are not read in one call of Redis. */
  private static final int RESULTS_PER_CALL = 256;

  private final RedisConnection redis;
  private final Keys keys;
  private final JobIndex index;
  private final JobScripts jobs;
  private final WaitingPrompts waiting;
  private final BucketScripts buckets;
  private final ReadyBuckets ready;
  private final Reaper reaper;
  private final JobControl control;
  private final Appending appending;
  private final Leases leases;
  private final ScheduledThreadPoolExecutor timers;
  private final WakeListener wakes;
  private final Epoch epoch;
  private final List<Consumer<String>> stopListeners = new CopyOnWriteArrayList<>();

  /**
   * @param redis closed by its owner, after the queue
   */
  public JobQueue(RedisConnection redis, QueueSettings settings) {
    this.redis = redis;
    this.timers = timers();
    this.keys = new Keys(settings.namespace());
    this.index = new JobIndex(redis, keys);
    this.jobs = new JobScripts(redis, keys);
    this.waiting = new WaitingPrompts(redis, keys);
    this.buckets = new BucketScripts(redis, keys, settings);
    JobEnd jobEnd = new JobEnd(jobs, buckets, index);
    this.ready = new ReadyBuckets(timers);
    this.reaper = new Reaper(jobs, buckets, jobEnd, settings, timers);
    Deadlines deadlines = new Deadlines(index, jobEnd, timers);
    this.control = new JobControl(index, jobs, buckets, jobEnd, deadlines);
    Sweeper sweeper = new Sweeper(jobs, buckets, index, jobEnd, timers);
    this.appending = new Appending(index, jobs, buckets, sweeper);
    LostRequests lostRequests = new LostRequests(jobs, buckets, jobEnd, sweeper, timers);
    this.leases = new Leases(jobs, buckets, jobEnd, ready, reaper, lostRequests);
    long sweepMillis = settings.sweepInterval().toMillis();
    timers.scheduleWithFixedDelay(
        sweeper::sweepLater, sweepMillis, sweepMillis, TimeUnit.MILLISECONDS);
    timers.scheduleWithFixedDelay(deadlines::look, sweepMillis, sweepMillis, TimeUnit.MILLISECONDS);
    this.wakes =
        new WakeListener(ready, reaper, sweeper, deadlines, this::snapshots, timers, this::stopped);
    wakes.listen(redis.channels(), keys.wakeChannel());
    this.epoch = new Epoch(redis, keys);
    epoch.onLoss(index::forgetBuckets);
    epoch.onLoss(ready::startAnew);
    epoch.onLoss(redis.channels()::tellThatMessagesMayBeMissed);
    timers.scheduleWithFixedDelay(epoch::look, 0, EPOCH_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static ScheduledThreadPoolExecutor timers() {
    ScheduledThreadPoolExecutor timers =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "queue-timers");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    timers.setRemoveOnCancelPolicy(true);
    return timers;
  }

  // Jobs

  /**
   * Creates a job that accepts prompts, or finds the one that this tenant's same request id made.
   * Fails with {@code REQUEST_ID_REUSED} if that one has another spec, and with {@code
   * LIMIT_EXCEEDED} if the tenant has too many open jobs.
   */
  public CompletionStage<JobRecord> createJob(NewJob job) {
    return control.create(job);
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
    return appending.append(jobId, offset, prompts);
  }

  /**
   * Ends the appending; repeating it changes nothing. Fails with {@code JOB_NOT_FOUND}, with {@code
   * PROMPT_COUNT_MISMATCH}, or with {@code JOB_NOT_ACCEPTING} if the job was cancelled.
   */
  public CompletionStage<JobRecord> seal(String jobId, OptionalLong expectedPrompts) {
    return control.seal(jobId, expectedPrompts);
  }

  /** Fails with {@code JOB_NOT_FOUND}. */
  public CompletionStage<JobRecord> get(String jobId) {
    return control.get(jobId);
  }

  /**
   * Jobs, newest first.
   *
   * @param pageSize at least 1
   * @param pageToken of the page before; empty: the first page. Fails with {@code INVALID_FIELD} if
   *     it is not such a token
   */
  public CompletionStage<JobPage> list(JobFilter filter, int pageSize, String pageToken) {
    return control.list(filter, pageSize, pageToken);
  }

  /**
   * Cancels what no worker holds, and has coordinators told ({@link #onStopped}), which take back
   * the rest; the job is terminal when all of it has an outcome. Repeating it changes nothing, and
   * neither does cancelling a terminal job. Fails with {@code JOB_NOT_FOUND}.
   */
  public CompletionStage<JobRecord> cancel(String jobId) {
    return control.cancel(jobId);
  }

  /**
   * Lets no more prompts of a job be drawn until it is resumed; repeating it changes nothing. Fails
   * with {@code JOB_NOT_FOUND}, or with {@code JOB_NOT_OPEN} if it ends or has ended.
   */
  public CompletionStage<JobRecord> pause(String jobId) {
    return control.pause(jobId);
  }

  /** Undoes {@link #pause}; without effect on a job that is not paused. Fails as that does. */
  public CompletionStage<JobRecord> resume(String jobId) {
    return control.resume(jobId);
  }

  /**
   * Gives a job another priority among those of its tenant. Fails as {@link #pause} does.
   *
   * @param priority 0 (last) to 9 (first)
   */
  public CompletionStage<JobRecord> prioritize(String jobId, int priority) {
    return control.prioritize(jobId, priority);
  }

  /**
   * Keeps what is changed of what a job says about itself, by the names of the parts. Fails with
   * {@code JOB_NOT_FOUND}.
   */
  public CompletionStage<JobRecord> describe(String jobId, Map<String, ByteString> changes) {
    return control.describe(jobId, changes);
  }

  /**
   * Removes all that is kept of a terminal job, the pages of its results first. Fails with {@code
   * JOB_NOT_FOUND}, or with {@code JOB_NOT_TERMINAL}.
   *
   * @param results removes what others keep for the job; if it fails, so does this, and the job is
   *     among the {@link #jobsToDelete} from now on
   */
  public CompletionStage<Void> delete(
      String jobId, Function<String, CompletionStage<Void>> results) {
    return control.delete(jobId, results);
  }

  /** Takes a job that is gone off the {@link #jobsToDelete}. */
  public CompletionStage<Void> forget(String jobId) {
    return index.dropEnded(jobId);
  }

  /** Jobs of a tenant that have not ended. */
  public CompletionStage<List<JobRecord>> openJobs(String tenant) {
    return control.open(tenant);
  }

  /**
   * Lets a tenant append prompts to a job, if what its open jobs have to do stays within a limit;
   * exact, whichever coordinators it appends at, as long as all ask. Asking again for the same
   * prompts changes nothing.
   *
   * @param offset of the first of them
   * @param most prompts of all jobs of the tenant that may be without an outcome
   * @param open the tenant's {@link #openJobs}, as they are or were a while ago
   */
  public CompletionStage<Boolean> admit(
      String tenant, String jobId, long offset, int count, long most, List<JobRecord> open) {
    return index.admit(tenant, jobId, offset, count, most, open);
  }

  /** Ended jobs that are older than this, or whose deletion broke off; at most {@code most}. */
  public CompletionStage<List<String>> jobsToDelete(Duration age, int most) {
    return index.endedBefore(age, most).thenApply(JobIndex.Due::jobIds);
  }

  /**
   * Results in the order in which they were committed, at most {@code count}; fewer, perhaps none,
   * if there are no more yet. Fails with {@code JOB_NOT_FOUND}.
   *
   * @param afterCursor of the last result that the reader has; 0: from the start
   */
  public CompletionStage<List<ResultRecord>> results(String jobId, long afterCursor, int count) {
    return jobs.results(jobId, afterCursor, Math.min(count, RESULTS_PER_CALL))
        .thenCompose(
            results ->
                results.isPresent()
                    ? CompletableFuture.completedStage(results.get())
                    : JobErrors.failed(JobErrors.notFound(jobId)));
  }

  /** Prompts without an outcome; looks at no more than so many, and no more than 256. */
  public CompletionStage<WaitingPage> waiting(String jobId, WaitingPage.Place from, int count) {
    return waiting.read(jobId, from, Math.min(count, RESULTS_PER_CALL));
  }

  /**
   * Prompts that failed or were lost, in the order of their outcomes. Fails with {@code
   * JOB_NOT_FOUND}.
   *
   * @param from how many of them to pass over
   */
  public CompletionStage<List<ResultRecord>> failures(String jobId, long from, int count) {
    return jobs.failures(jobId, from, Math.min(count, RESULTS_PER_CALL))
        .thenCompose(
            failures ->
                failures.isPresent()
                    ? CompletableFuture.completedStage(failures.get())
                    : JobErrors.failed(JobErrors.notFound(jobId)));
  }

  /**
   * Calls the listener after every change of the job, and after every time when changes may have
   * been missed. Only changes after the stage is complete are certain to be told.
   */
  public CompletionStage<Subscription> onJobChanged(String jobId, Runnable listener) {
    return redis
        .channels()
        .subscribe(
            keys.jobChannel(jobId),
            new RedisChannels.Listener() {
              @Override
              public void message(byte[] message) {
                listener.run();
              }

              @Override
              public void subscribed() {
                listener.run();
              }
            })
        .thenApply(unsubscribe -> unsubscribe::run);
  }

  /**
   * Calls the listener with the id of every job that is cancelled or expires while workers may hold
   * prompts of it. May miss some: what workers hold then finishes.
   */
  public Subscription onStopped(Consumer<String> listener) {
    stopListeners.add(listener);
    return () -> stopListeners.remove(listener);
  }

  private void stopped(String jobId) {
    stopListeners.forEach(listener -> listener.accept(jobId));
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
    return leases.lease(bucket, worker, maxImages, duration, Map.of());
  }

  /**
   * Leases, as above, where tenants wait in several buckets.
   *
   * @param spread such tenants and in how many buckets they wait: their weight is divided among
   *     these
   */
  public CompletionStage<Optional<LeasedBatch>> lease(
      Bucket bucket, String worker, int maxImages, Duration duration, Map<String, Integer> spread) {
    return leases.lease(bucket, worker, maxImages, duration, spread);
  }

  /**
   * Lets leases expire {@code duration} from now, be that later or earlier than before.
   *
   * @return those that are not the worker's, or no longer: they expired or every prompt is done
   */
  public CompletionStage<Set<LeaseRef>> renew(
      String worker, Collection<LeaseRef> held, Duration duration) {
    return leases.renew(worker, held, duration);
  }

  /**
   * Takes outcomes of prompts of one lease: each is durable and visible when the stage completes,
   * or superseded. Many in one call are much cheaper than many calls.
   *
   * @return a verdict for each outcome, in order: COMMITTED or SUPERSEDED
   */
  public CompletionStage<List<TaskVerdict>> commit(LeaseRef lease, List<TaskOutcome> outcomes) {
    return leases.commit(lease, outcomes);
  }

  /**
   * Takes failures of prompts of one lease: a prompt waits for its next attempt, or has failed for
   * good if this was its last.
   *
   * @return a verdict for each failure, in order
   */
  public CompletionStage<List<TaskVerdict>> fail(LeaseRef lease, List<TaskFailure> failures) {
    return leases.fail(lease, failures);
  }

  /** Hands prompts back that were not started; this is not an attempt, and they go next. */
  public CompletionStage<Void> release(LeaseRef lease, List<TaskRef> tasks) {
    return leases.release(lease, tasks);
  }

  /** Lets a lease expire now because its worker is lost; counts as an attempt. */
  public CompletionStage<Void> expire(LeaseRef lease) {
    return leases.expire(lease);
  }

  // Work

  /**
   * Buckets in which prompts may be ready to be leased: every one in which there are some, and
   * perhaps a few in which a lease will find none (then it leaves this set). Kept here by
   * notifications; asking costs nothing.
   */
  public Set<Bucket> readyBuckets() {
    return ready.ready();
  }

  /**
   * Calls the listener whenever prompts become ready in a bucket that had none, after the bucket
   * was added to {@link #readyBuckets()}. Whoever asks for ready buckets after subscribing misses
   * nothing.
   */
  public Subscription onReady(Consumer<Bucket> listener) {
    return ready.subscribe(listener);
  }

  /** What waits in every bucket that ever had a prompt. */
  public CompletionStage<List<BucketBacklog>> backlog() {
    return snapshots().thenApply(all -> all.stream().map(BucketScripts.Snapshot::backlog).toList());
  }

  /** How many jobs have not ended, by state; of the 10,000 that are open longest. */
  public CompletionStage<Map<JobState, Long>> openJobsByState() {
    return control.openByState();
  }

  /** Calls the listener with the number of prompts whose last attempt a lost worker had. */
  public void onGivenUp(IntConsumer listener) {
    reaper.onGivenUp(listener);
  }

  /** Who stands in line in every bucket that ever had a prompt. */
  public CompletionStage<List<BucketLine>> lines() {
    return index.buckets().thenCompose(all -> Stages.all(all.stream().map(buckets::line).toList()));
  }

  // Speeds

  /** Remembers how long an image takes. */
  public CompletionStage<Void> putSpeed(Bucket bucket, double secondsPerImage) {
    return index.putSpeed(bucket, secondsPerImage);
  }

  /** How many seconds an image takes, of all buckets that were ever measured. */
  public CompletionStage<Map<Bucket, Double>> speeds() {
    return index.speeds();
  }

  // Models

  /**
   * Remembers a model, so that it is known while no worker has it.
   *
   * @param description opaque to the queue; replaces the one before
   */
  public CompletionStage<Void> announceModel(String name, ByteString description) {
    return index.putModel(name, description);
  }

  /**
   * Calls the listener when Redis has lost all its data, within some seconds: jobs are gone, and
   * what coordinators said once has to be said again.
   */
  public Subscription onDataLost(Runnable listener) {
    return epoch.onLoss(listener);
  }

  /** Every model that was ever announced, by name. */
  public CompletionStage<Map<String, ByteString>> models() {
    return index.models();
  }

  /** Ends timers and subscriptions of this coordinator; leases and jobs stay. */
  @Override
  public void close() {
    wakes.close();
    timers.shutdownNow();
  }

  private CompletionStage<List<BucketScripts.Snapshot>> snapshots() {
    return index
        .buckets()
        .thenCompose(all -> Stages.all(all.stream().map(buckets::snapshot).toList()));
  }
}
