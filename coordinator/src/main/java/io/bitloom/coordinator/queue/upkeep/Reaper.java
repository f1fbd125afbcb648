package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.Stages;
import io.bitloom.coordinator.queue.redis.Tasks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Returns the prompts of expired leases to their buckets. Every coordinator watches every bucket in
 * which something is going on, with one timer each that sleeps until a lease could expire.
 */
public final class Reaper {

  private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);

  /** Workers of a coordinator that is started again come back, and name their leases, in less. */
  private static final Duration RECONNECT = Duration.ofSeconds(1);

  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final QueueSettings settings;
  private final ScheduledExecutorService timers;
  private final Map<Bucket, ScheduledFuture<?>> watches = new ConcurrentHashMap<>();
  private final List<IntConsumer> givenUp = new CopyOnWriteArrayList<>();
  private volatile long graceEndsNanos;

  public Reaper(
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
    startGrace(RECONNECT.compareTo(settings.reapGrace()) < 0 ? RECONNECT : settings.reapGrace());
  }

  /** Calls the listener with the number of prompts that have no attempt left. */
  public void onGivenUp(IntConsumer listener) {
    givenUp.add(listener);
  }

  /** Workers could not renew their leases for a while, and get the time to do so. */
  public void redisIsBack() {
    startGrace(settings.reapGrace());
  }

  private void startGrace(Duration grace) {
    graceEndsNanos = System.nanoTime() + grace.toNanos();
  }

  /** Leases of this bucket may be made from now on. */
  public void watch(Bucket bucket) {
    watch(bucket, settings.leaseDuration());
  }

  /** A lease of this bucket may expire after this time. */
  public void watch(Bucket bucket, Duration expiry) {
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
        .thenCompose(this::returnToJobs)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                LOG.warn(
                    "leases of {} could not be reaped, trying again: {}", bucket, e.toString());
              }
            });
  }

  /** Tells jobs what a bucket took back, and gives up what has no attempt left. */
  public CompletionStage<Void> returnToJobs(BucketScripts.Expired expired) {
    List<CompletionStage<Void>> stages = new ArrayList<>();
    for (BucketScripts.ExpiredLease ended : expired.leases()) {
      if (!ended.waiting().isEmpty()) {
        stages.add(
            jobs.requeue(ended.jobId(), ended.lease(), true, Tasks.offsets(ended.waiting()))
                .thenCompose(terminal -> jobEnd.endedIf(terminal, ended.jobId())));
      }
      if (!ended.exhausted().isEmpty()) {
        stages.add(giveUp(ended));
      }
    }
    return Stages.all(stages).thenApply(done -> null);
  }

  private CompletionStage<Void> giveUp(BucketScripts.ExpiredLease ended) {
    List<TaskRef> tasks =
        ended.exhausted().stream().map(task -> new TaskRef(ended.jobId(), task.offset())).toList();
    return jobs.lose(ended.jobId(), ended.lease(), ended.exhausted())
        .whenComplete(
            (terminal, e) -> {
              if (e == null) {
                givenUp.forEach(listener -> listener.accept(tasks.size()));
              }
            })
        .thenCompose(
            terminal ->
                buckets
                    .settle(ended.lease(), tasks)
                    .thenCompose(settled -> jobEnd.endedIf(terminal, ended.jobId())));
  }
}
