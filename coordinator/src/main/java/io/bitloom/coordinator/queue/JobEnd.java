package io.bitloom.coordinator.queue;

import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What is left to be done when a job ends: its buckets forget it, and nobody watches over it. */
final class JobEnd {

  private static final int CANCEL_APPENDS = 64;

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobIndex index;

  JobEnd(JobScripts jobs, BucketScripts buckets, JobIndex index) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.index = index;
  }

  /** Cleans up if the job is terminal. */
  CompletionStage<Void> endedIf(boolean terminal, String jobId) {
    return terminal ? ended(jobId) : Stages.nothing();
  }

  /** Cleans up after a terminal job; the sweeper repeats it if it breaks off. */
  CompletionStage<Void> ended(String jobId) {
    return jobs.looseEnds(jobId)
        .thenCompose(ends -> forget(jobId, ends.lastOffsets().keySet()))
        .thenCompose(done -> index.inactive(jobId));
  }

  /** Lets buckets forget what waits of a job that is terminal or being cancelled. */
  CompletionStage<Void> forget(String jobId, Collection<Bucket> ofJob) {
    return Stages.all(ofJob.stream().map(bucket -> forget(jobId, bucket)).toList())
        .thenApply(done -> null);
  }

  private CompletionStage<Void> forget(String jobId, Bucket bucket) {
    return buckets
        .dropFlow(bucket, jobId)
        .thenCompose(more -> more ? forget(jobId, bucket) : Stages.nothing());
  }

  /**
   * Cancels what no worker holds, from the given place on.
   *
   * @return how the last call went
   */
  CompletionStage<JobScripts.Cancelled> cancelWaiting(String jobId, String from) {
    return jobs.cancel(jobId, from, CANCEL_APPENDS)
        .thenCompose(
            cancelled ->
                cancelled.next().isEmpty()
                    ? CompletableFuture.completedStage(cancelled)
                    : cancelWaiting(jobId, cancelled.next()));
  }
}
