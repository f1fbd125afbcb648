package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.LeaseEnd;
import io.bitloom.coordinator.queue.redis.Stages;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finishes what a crash left half-done between a job and its buckets: prompts that a bucket was not
 * told of, prompts that a job believes to be with a lease which is gone, a cancellation that
 * stopped half-way, a job that ended but still stands in its buckets, use that was not noted. Every
 * step may be repeated at any time.
 */
final class JobSweep {

  private static final Logger LOG = LoggerFactory.getLogger(JobSweep.class);
  private static final int DELIVER_APPENDS = 64;
  private static final Duration PAUSE = Duration.ofMillis(20);

  /** A job that was listed this long ago and does not exist was never created. */
  private static final Duration CREATION = Duration.ofMinutes(1);

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobIndex index;
  private final JobEnd jobEnd;
  private final LeaseEnd leaseEnd;
  private final Bookkeeper bookkeeper;
  private final Timers timers;
  private final Set<String> asked = ConcurrentHashMap.newKeySet();

  JobSweep(
      JobScripts jobs,
      BucketScripts buckets,
      JobIndex index,
      JobEnd jobEnd,
      LeaseEnd leaseEnd,
      Bookkeeper bookkeeper,
      Timers timers) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.index = index;
    this.jobEnd = jobEnd;
    this.leaseEnd = leaseEnd;
    this.bookkeeper = bookkeeper;
    this.timers = timers;
  }

  /**
   * Sweeps an active job, which is no more one if it was never created.
   *
   * @return its state before that; empty if it is not there
   */
  CompletionStage<Optional<JobState>> sweep(JobIndex.Active active) {
    return jobs.looseEnds(active.jobId())
        .thenCompose(
            ends -> {
              CompletionStage<Void> swept =
                  ends.state().isPresent() || active.age().compareTo(CREATION) < 0
                      ? sweep(active.jobId(), ends)
                      : index.forget(active.jobId());
              return swept.thenApply(done -> ends.state());
            });
  }

  /** Sweeps one job in a moment, once for all who ask until then. */
  void sweepLater(String jobId) {
    if (asked.add(jobId)) {
      timers.in(PAUSE, () -> sweep(jobId));
    }
  }

  private void sweep(String jobId) {
    asked.remove(jobId);
    jobs.looseEnds(jobId)
        .thenCompose(ends -> sweep(jobId, ends))
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                LOG.warn("job {} could not be swept, trying again: {}", jobId, e.toString());
              }
            });
  }

  private CompletionStage<Void> sweep(String jobId, JobScripts.LooseEnds ends) {
    JobState state = ends.state().orElse(JobState.JOB_STATE_UNSPECIFIED);
    ends.lastOffsets().keySet().forEach(index::addBucket);
    if (ends.state().isPresent()) {
      bookkeeper.used(ends.tenant(), jobId, ends.use());
    }
    List<CompletionStage<Void>> stages = new ArrayList<>();
    switch (state) {
      case JOB_STATE_UNSPECIFIED -> {} // not created yet
      case JOB_STATE_ACCEPTING, JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_PAUSED ->
          ends.lastOffsets()
              .forEach((bucket, last) -> stages.add(check(jobId, bucket, last, ends)));
      case JOB_STATE_CANCELLING -> {
        stages.add(jobEnd.stop(jobId, ResultRecord.Status.CANCELLED));
        ends.lastOffsets().keySet().forEach(bucket -> stages.add(check(jobId, bucket, -1, ends)));
      }
      default -> stages.add(jobEnd.ended(jobId));
    }
    return Stages.all(stages).thenApply(done -> null);
  }

  /** Compares what a job and one of its buckets believe of each other. */
  private CompletionStage<Void> check(
      String jobId, Bucket bucket, long last, JobScripts.LooseEnds ends) {
    List<LeaseRef> leases =
        ends.running().keySet().stream().filter(lease -> lease.bucket().equals(bucket)).toList();
    return buckets
        .check(bucket, jobId, leases)
        .thenCompose(
            checked -> {
              List<CompletionStage<Void>> stages = new ArrayList<>();
              for (LeaseRef lease : leases) {
                if (!checked.leases().get(lease)) {
                  stages.add(
                      leaseEnd.requeue(
                          jobId, lease, JobScripts.Requeued.BACK, ends.running().get(lease)));
                }
              }
              if (checked.mark() >= 0 && checked.revision() < ends.standing().revision()) {
                stages.add(buckets.reschedule(bucket, jobId, ends.standing()));
              }
              if (checked.mark() < last) {
                stages.add(deliver(jobId, bucket, checked.mark(), checked.mark()));
              }
              return Stages.all(stages).thenApply(done -> null);
            });
  }

  /**
   * Tells a bucket what it was not told.
   *
   * @param mark offset of the job's last prompt that the bucket knows
   * @param from offset after which to look
   */
  private CompletionStage<Void> deliver(String jobId, Bucket bucket, long mark, long from) {
    return jobs.undelivered(jobId, bucket, from, DELIVER_APPENDS)
        .thenCompose(
            missing -> {
              CompletionStage<Long> told =
                  missing.entries().isEmpty()
                      ? CompletableFuture.completedStage(mark)
                      : buckets
                          .enqueue(
                              bucket, jobId, missing.terms(), mark, missing.entries().toByteArray())
                          .thenApply(enqueued -> told(bucket, enqueued));
              return missing.next().isEmpty()
                  ? told.thenApply(done -> null)
                  : told.thenCompose(now -> deliver(jobId, bucket, now, missing.next().get()));
            });
  }

  private long told(Bucket bucket, BucketScripts.Enqueued enqueued) {
    if (enqueued.isNew()) {
      index.addNewBucket(bucket);
    }
    return enqueued.mark();
  }
}
