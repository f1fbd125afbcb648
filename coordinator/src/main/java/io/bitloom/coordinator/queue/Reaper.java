package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Returns the prompts of expired leases to their buckets. Every coordinator watches every bucket in
 * which something is going on, with one timer each that sleeps until a lease could expire.
 */
final class Reaper {

  private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final QueueSettings settings;
  private final ScheduledExecutorService timers;
  private final Map<Bucket, ScheduledFuture<?>> watches = new ConcurrentHashMap<>();
  private volatile long graceEndsNanos;

  Reaper(
      JobScripts jobs,
      BucketScripts buckets,
      JobEnd jobEnd,
      QueueSettings settings,
      ScheduledExecutorService timers) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.jobEnd = jobEnd;
    this.settings = settings;
    this.timers = timers;
    startGrace();
  }

  /** Leaves expired leases alone for a while, so that workers which are well can renew them. */
  void startGrace() {
    graceEndsNanos = System.nanoTime() + settings.reapGrace().toNanos();
  }

  /** Leases of this bucket may be made from now on. */
  void watch(Bucket bucket) {
    watch(bucket, settings.leaseDuration());
  }

  /** A lease of this bucket may expire after this time. */
  void watch(Bucket bucket, Duration expiry) {
    long millis =
        1
            + Math.max(
                expiry.toMillis(),
                TimeUnit.NANOSECONDS.toMillis(graceEndsNanos - System.nanoTime()));
    watches.compute(
        bucket,
        (b, timer) -> {
          if (timer != null && !timer.isDone() && timer.getDelay(TimeUnit.MILLISECONDS) <= millis) {
            return timer;
          }
          if (timer != null) {
            timer.cancel(false);
          }
          return timers.schedule(() -> reap(bucket), millis, TimeUnit.MILLISECONDS);
        });
  }

  private void reap(Bucket bucket) {
    buckets
        .expireOverdue(bucket)
        .whenComplete(
            (expired, e) -> {
              if (e != null) {
                watch(bucket, PAUSE_AFTER_ERROR);
              } else if (expired.nextExpiryMillis() >= 0) {
                watch(bucket, Duration.ofMillis(expired.nextExpiryMillis()));
              } else if (expired.waiting()) {
                watch(bucket);
              }
            })
        .thenCompose(expired -> returnToJobs(bucket, expired))
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                LOG.warn(
                    "leases of {} could not be reaped, trying again: {}", bucket, e.toString());
              }
            });
  }

  /** Tells jobs what a bucket took back, and gives up what has no attempt left. */
  CompletionStage<Void> returnToJobs(Bucket bucket, BucketScripts.Expired expired) {
    record Key(String jobId, long token, boolean exhausted) {}
    Map<Key, List<BucketScripts.ExpiredTask>> byLease = new HashMap<>();
    for (BucketScripts.ExpiredTask task : expired.tasks()) {
      byLease
          .computeIfAbsent(
              new Key(task.task().jobId(), task.token(), task.exhausted()), k -> new ArrayList<>())
          .add(task);
    }
    List<CompletionStage<Void>> stages = new ArrayList<>();
    byLease.forEach(
        (key, tasks) ->
            stages.add(
                key.exhausted()
                    ? giveUp(key.jobId(), new LeaseRef(bucket, key.token()), tasks)
                    : jobs.requeue(
                            key.jobId(),
                            key.token(),
                            true,
                            tasks.stream().map(task -> task.task().offset()).toList())
                        .thenCompose(terminal -> jobEnd.endedIf(terminal, key.jobId()))));
    return Stages.all(stages).thenApply(done -> null);
  }

  /**
   * Makes lost prompts fail for good. Their job is made to give them to the lease first, in case it
   * never did because a coordinator died between the two halves of leasing.
   */
  private CompletionStage<Void> giveUp(
      String jobId, LeaseRef lease, List<BucketScripts.ExpiredTask> tasks) {
    List<JobScripts.HeldTask> held =
        tasks.stream()
            .map(
                task ->
                    new JobScripts.HeldTask(task.task().offset(), task.attempt(), task.group(), 1))
            .toList();
    List<JobScripts.Outcome> outcomes =
        tasks.stream()
            .map(
                task ->
                    new JobScripts.Outcome(
                        task.task().offset(), ResultRecord.Status.LOST, ByteString.EMPTY))
            .toList();
    return jobs.start(jobId, lease, held)
        .thenCompose(started -> jobs.commit(jobId, lease.token(), outcomes))
        .thenCompose(
            committed ->
                buckets
                    .settle(lease, tasks.stream().map(BucketScripts.ExpiredTask::task).toList())
                    .thenCompose(settled -> jobEnd.endedIf(committed.terminal(), jobId)));
  }
}
