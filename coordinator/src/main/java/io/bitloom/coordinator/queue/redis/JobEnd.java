package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.JobState;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What is left to be done when a job ends: its buckets forget it, and nobody watches over it. */
public final class JobEnd {

  private static final int CANCEL_APPENDS = 64;

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobIndex index;

  public JobEnd(JobScripts jobs, BucketScripts buckets, JobIndex index) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.index = index;
  }

  /** Cleans up if the job is terminal. */
  CompletionStage<Void> endedIf(boolean terminal, String jobId) {
    return terminal ? ended(jobId) : Stages.nothing();
  }

  /** Cleans up after a terminal job; the sweeper repeats it if it breaks off. */
  public CompletionStage<Void> ended(String jobId) {
    return jobs.looseEnds(jobId).thenCompose(ends -> ended(jobId, ends));
  }

  private CompletionStage<Void> ended(String jobId, JobScripts.LooseEnds ends) {
    return ends.state().isEmpty()
        ? Stages.nothing()
        : forget(jobId, ends.lastOffsets().keySet()).thenCompose(done -> index.retire(jobId, ends));
  }

  /** Lets buckets forget what waits of a job that is terminal or being cancelled. */
  CompletionStage<Void> forget(String jobId, Collection<Bucket> ofJob) {
    return Stages.all(ofJob.stream().map(bucket -> forget(jobId, bucket)).toList())
        .thenApply(done -> null);
  }

  private CompletionStage<Void> forget(String jobId, Bucket bucket) {
    return buckets
        .forget(bucket, jobId)
        .thenCompose(more -> more ? forget(jobId, bucket) : Stages.nothing());
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
                        .thenCompose(ends -> stopped(jobId, ends))
                        .thenCompose(done -> jobs.announceStop(jobId))
                    : Stages.nothing());
  }

  private CompletionStage<Void> stopped(String jobId, JobScripts.LooseEnds ends) {
    return ends.state().equals(Optional.of(JobState.JOB_STATE_CANCELLING))
        ? forget(jobId, ends.lastOffsets().keySet())
        : ended(jobId, ends);
  }

  /** Removes all traces of a terminal job. May be repeated after it broke off. */
  CompletionStage<Void> delete(String jobId, String tenant) {
    return jobs.looseEnds(jobId)
        .thenCompose(ends -> forget(jobId, ends.lastOffsets().keySet()))
        .thenCompose(done -> jobs.delete(jobId))
        .thenCompose(done -> index.unlist(jobId, tenant));
  }

  private CompletionStage<JobScripts.Cancelled> stopWaiting(
      String jobId, String from, ResultRecord.Status status) {
    return jobs.cancel(jobId, from, CANCEL_APPENDS, status)
        .thenCompose(
            cancelled ->
                cancelled.next().isEmpty()
                    ? CompletableFuture.completedStage(cancelled)
                    : stopWaiting(jobId, cancelled.next(), status));
  }
}
