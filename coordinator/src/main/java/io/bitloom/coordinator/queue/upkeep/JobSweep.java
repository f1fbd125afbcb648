package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.common.log.LogFields;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.JobPart;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.LeaseEnd;
import io.bitloom.coordinator.queue.redis.PartScripts;
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
  private final PartScripts parts;
  private final BucketScripts buckets;
  private final JobIndex index;
  private final JobEnd jobEnd;
  private final LeaseEnd leaseEnd;
  private final Bookkeeper bookkeeper;
  private final Timers timers;
  private final Set<String> asked = ConcurrentHashMap.newKeySet();

  JobSweep(
      JobScripts jobs,
      PartScripts parts,
      BucketScripts buckets,
      JobIndex index,
      JobEnd jobEnd,
      LeaseEnd leaseEnd,
      Bookkeeper bookkeeper,
      Timers timers) {
    this.jobs = jobs;
    this.parts = parts;
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

  /** Sweeps the job of which this is a part in a moment, once for all who ask until then. */
  void sweepLater(String partId) {
    String jobId = JobPart.parse(partId).jobId();
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
                LOG.atWarn()
                    .addKeyValue(LogFields.JOB, jobId)
                    .log("job {} could not be swept, trying again: {}", jobId, e.toString());
              }
            });
  }

  /** Sweeps a job, then its other parts, and ends it if all of these have ended. */
  private CompletionStage<Void> sweep(String jobId, JobScripts.LooseEnds ends) {
    CompletionStage<Void> swept = sweepPart(jobId, ends);
    if (ends.parts().equals(JobScripts.Parts.ONE)) {
      return swept;
    }
    for (String partId : ends.parts().others(jobId)) {
      swept =
          swept
              .thenCompose(done -> follow(partId, ends))
              .thenCompose(done -> jobs.looseEnds(partId))
              .thenCompose(ofPart -> sweepPart(partId, ofPart));
    }
    return swept.thenCompose(done -> jobEnd.conclude(jobId));
  }

  /** Has a part be as its job is. */
  private CompletionStage<Void> follow(String partId, JobScripts.LooseEnds job) {
    return switch (job.state().orElse(JobState.JOB_STATE_UNSPECIFIED)) {
      case JOB_STATE_UNSPECIFIED -> Stages.nothing();
      case JOB_STATE_CANCELLING, JOB_STATE_CANCELLED, JOB_STATE_EXPIRED ->
          jobEnd
              .stop(partId, ResultRecord.Status.EXPIRED)
              .thenCompose(done -> jobEnd.stop(partId, ResultRecord.Status.CANCELLED));
      default ->
          parts
              .follow(partId, job.standing())
              .thenCompose(told -> job.sealed() ? jobs.sealed(partId) : Stages.nothing());
    };
  }

  private CompletionStage<Void> sweepPart(String partId, JobScripts.LooseEnds ends) {
    JobState state = ends.state().orElse(JobState.JOB_STATE_UNSPECIFIED);
    ends.lastOffsets().keySet().forEach(index::addBucket);
    if (ends.state().isPresent()) {
      bookkeeper.used(ends.tenant(), partId, ends.use());
    }
    List<CompletionStage<Void>> stages = new ArrayList<>();
    switch (state) {
      case JOB_STATE_UNSPECIFIED -> {} // not created yet
      case JOB_STATE_ACCEPTING, JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_PAUSED ->
          ends.lastOffsets()
              .forEach((bucket, last) -> stages.add(check(partId, bucket, last, ends)));
      case JOB_STATE_CANCELLING -> {
        stages.add(jobEnd.stop(partId, ResultRecord.Status.CANCELLED));
        ends.lastOffsets().keySet().forEach(bucket -> stages.add(check(partId, bucket, -1, ends)));
      }
      default -> stages.add(jobEnd.ended(partId));
    }
    return Stages.all(stages).thenApply(done -> null);
  }

  /** Compares what a part of a job and one of its buckets believe of each other. */
  private CompletionStage<Void> check(
      String partId, Bucket bucket, long last, JobScripts.LooseEnds ends) {
    List<LeaseRef> leases =
        ends.running().keySet().stream().filter(lease -> lease.bucket().equals(bucket)).toList();
    return buckets
        .check(bucket, partId, leases)
        .thenCompose(
            checked -> {
              List<CompletionStage<Void>> stages = new ArrayList<>();
              for (LeaseRef lease : leases) {
                if (!checked.leases().get(lease)) {
                  stages.add(
                      leaseEnd.requeue(
                          partId, lease, JobScripts.Requeued.BACK, ends.running().get(lease)));
                }
              }
              if (checked.mark() >= 0 && checked.revision() < ends.standing().revision()) {
                stages.add(buckets.reschedule(bucket, partId, ends.standing()));
              }
              if (checked.mark() < last) {
                stages.add(deliver(partId, bucket, checked.mark(), checked.mark()));
              }
              return Stages.all(stages).thenApply(done -> null);
            });
  }

  /**
   * Tells a bucket what it was not told.
   *
   * @param mark offset of the part's last prompt that the bucket knows
   * @param from offset after which to look
   */
  private CompletionStage<Void> deliver(String partId, Bucket bucket, long mark, long from) {
    return jobs.undelivered(partId, bucket, from, DELIVER_APPENDS)
        .thenCompose(
            missing -> {
              CompletionStage<Long> told =
                  missing.entries().isEmpty()
                      ? CompletableFuture.completedStage(mark)
                      : buckets
                          .enqueue(
                              bucket,
                              partId,
                              missing.terms(),
                              mark,
                              missing.entries().toByteArray())
                          .thenApply(enqueued -> told(bucket, enqueued));
              return missing.next().isEmpty()
                  ? told.thenApply(done -> null)
                  : told.thenCompose(now -> deliver(partId, bucket, now, missing.next().get()));
            });
  }

  private long told(Bucket bucket, BucketScripts.Enqueued enqueued) {
    if (enqueued.isNew()) {
      index.addNewBucket(bucket);
    }
    return enqueued.mark();
  }
}
