package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.log.LogFields;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobTimes;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is left to be done when a job ends: its buckets forget it, and nobody watches over it. A job
 * of several parts ends when all of these have.
 */
public final class JobEnd {

  private static final Logger LOG = LoggerFactory.getLogger(JobEnd.class);
  private static final int CANCEL_APPENDS = 64;

  private final JobScripts jobs;
  private final PartScripts parts;
  private final BucketScripts buckets;
  private final JobIndex index;
  private final RedisWebhooks webhooks;
  private volatile JobTimes times = JobTimes.UNHEARD;

  public JobEnd(
      JobScripts jobs,
      PartScripts parts,
      BucketScripts buckets,
      JobIndex index,
      RedisWebhooks webhooks) {
    this.jobs = jobs;
    this.parts = parts;
    this.buckets = buckets;
    this.index = index;
    this.webhooks = webhooks;
  }

  /** From now on this one hears of jobs that end. */
  public void tellTimes(JobTimes listener) {
    times = listener;
  }

  /** Cleans up if a part of a job is terminal, or would be but for other parts. */
  CompletionStage<Void> endedIf(boolean terminal, String partId) {
    return terminal ? ended(partId) : Stages.nothing();
  }

  /**
   * Cleans up after a part of a job that is terminal, or would be but for other parts, and after
   * the job if these were the last; the sweeper repeats it if it breaks off.
   */
  public CompletionStage<Void> ended(String partId) {
    return jobs.looseEnds(partId).thenCompose(ends -> ended(partId, ends));
  }

  private CompletionStage<Void> ended(String partId, JobScripts.LooseEnds ends) {
    if (ends.state().isEmpty()) {
      return Stages.nothing();
    }
    String jobId = JobPart.parse(partId).jobId();
    return forget(partId, ends.lastOffsets().keySet())
        .thenCompose(
            done ->
                partId.equals(jobId) && ends.parts().equals(JobScripts.Parts.ONE)
                    ? retire(jobId, ends.tenant(), ends.fleeting(), ends.use())
                        .thenAccept(first -> tell(first, jobId, ends))
                    : conclude(jobId));
  }

  private void tell(boolean first, String jobId, JobScripts.LooseEnds ends) {
    if (!first || ends.fleeting() || ends.lasted().isEmpty()) {
      return;
    }
    ends.state()
        .filter(JobRecord::terminal)
        .ifPresent(
            state -> {
              Duration time = ends.lasted().get();
              times.ended(state, time);
              LOG.atInfo()
                  .addKeyValue(LogFields.JOB, jobId)
                  .addKeyValue(LogFields.TENANT, ends.tenant())
                  .log("Job {} {} after {} ms", jobId, JobRecord.inWords(state), time.toMillis());
            });
  }

  /** Ends a job of several parts if all of these have ended. */
  public CompletionStage<Void> conclude(String jobId) {
    return jobs.fields(jobId)
        .thenCompose(
            fields -> {
              List<JobFields> others = fields.subList(Math.min(1, fields.size()), fields.size());
              if (fields.isEmpty() || !others.stream().allMatch(JobFields::terminal)) {
                return Stages.nothing();
              }
              return parts
                  .conclude(
                      jobId,
                      others.stream().mapToLong(JobFields::succeeded).sum(),
                      others.stream().mapToLong(JobFields::failed).sum())
                  .thenCompose(terminal -> terminal ? retire(jobId, fields) : Stages.nothing());
            });
  }

  private CompletionStage<Void> retire(String jobId, List<JobFields> fields) {
    JobFields job = fields.get(0);
    JobUse use = fields.stream().map(JobFields::use).reduce(JobUse.NONE, JobUse::plus);
    return retire(jobId, job.tenant(), job.fleeting(), use)
        .thenCompose(
            first ->
                first
                    ? jobs.looseEnds(jobId).thenAccept(ends -> tell(true, jobId, ends))
                    : Stages.nothing());
  }

  /**
   * @return whether nobody has said before that the job ended
   */
  private CompletionStage<Boolean> retire(
      String jobId, String tenant, boolean fleeting, JobUse use) {
    return index
        .retire(jobId, tenant, fleeting, use)
        .thenApply(
            retired -> {
              if (retired.hooked()) {
                webhooks.mayBeDue();
              }
              return retired.first();
            });
  }

  /** Lets buckets forget what waits of a part of a job that ends. */
  CompletionStage<Void> forget(String partId, Collection<Bucket> ofJob) {
    return Stages.all(ofJob.stream().map(bucket -> forget(partId, bucket)).toList())
        .thenApply(done -> null);
  }

  private CompletionStage<Void> forget(String partId, Bucket bucket) {
    return buckets
        .forget(bucket, partId)
        .thenCompose(more -> more ? forget(partId, bucket) : Stages.nothing());
  }

  /**
   * Ends what no worker holds, lets the buckets forget it, and has workers told to stop the rest.
   *
   * @param status CANCELLED, or EXPIRED, which does nothing as long as the job has time
   */
  public CompletionStage<Void> stop(String jobId, ResultRecord.Status status) {
    return stopWaiting(jobId, "0", status)
        .thenCompose(
            stopped ->
                stopped.cancelling()
                    ? jobs.looseEnds(jobId)
                        .thenCompose(ends -> stopAll(jobId, ends, status))
                        .thenCompose(done -> jobs.announceStop(jobId))
                    : Stages.nothing());
  }

  private CompletionStage<Void> stopAll(
      String jobId, JobScripts.LooseEnds first, ResultRecord.Status status) {
    if (first.parts().equals(JobScripts.Parts.ONE)) {
      return stopped(jobId, first);
    }
    List<CompletionStage<Void>> stages = new ArrayList<>();
    stages.add(forget(jobId, first.lastOffsets().keySet()));
    first.parts().others(jobId).forEach(partId -> stages.add(stopPart(partId, status)));
    return Stages.all(stages).thenCompose(done -> conclude(jobId));
  }

  private CompletionStage<Void> stopPart(String partId, ResultRecord.Status status) {
    return stopWaiting(partId, "0", status)
        .thenCompose(done -> jobs.looseEnds(partId))
        .thenCompose(ends -> forget(partId, ends.lastOffsets().keySet()));
  }

  private CompletionStage<Void> stopped(String jobId, JobScripts.LooseEnds ends) {
    return ends.state().equals(Optional.of(JobState.JOB_STATE_CANCELLING))
        ? forget(jobId, ends.lastOffsets().keySet())
        : ended(jobId, ends);
  }

  /** Removes all traces of a terminal job. May be repeated after it broke off. */
  CompletionStage<Void> delete(String jobId, String tenant) {
    return jobs.looseEnds(jobId)
        .thenCompose(
            ends ->
                Stages.all(ends.parts().all(jobId).stream().map(this::deletePart).toList())
                    .thenCompose(done -> forget(jobId, ends.lastOffsets().keySet())))
        .thenCompose(done -> jobs.delete(jobId))
        .thenCompose(done -> index.unlist(jobId, tenant));
  }

  private CompletionStage<Void> deletePart(String partId) {
    return jobs.looseEnds(partId)
        .thenCompose(ends -> forget(partId, ends.lastOffsets().keySet()))
        .thenCompose(done -> jobs.delete(partId));
  }

  private CompletionStage<JobScripts.Cancelled> stopWaiting(
      String partId, String from, ResultRecord.Status status) {
    return jobs.cancel(partId, from, CANCEL_APPENDS, status)
        .thenCompose(
            cancelled ->
                cancelled.next().isEmpty()
                    ? CompletableFuture.completedStage(cancelled)
                    : stopWaiting(partId, cancelled.next(), status));
  }
}
