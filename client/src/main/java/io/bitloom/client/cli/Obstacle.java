package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.WorkerStatus;

/** What keeps a job from going on, in words. */
final class Obstacle {

  private static final String NONE = "";

  private Obstacle() {}

  /** Calls fail and are made again. */
  static String of(BitloomException outage) {
    boolean away =
        outage.code() == ErrorCode.COORDINATOR_UNAVAILABLE
            || outage.code() == ErrorCode.SHUTTING_DOWN;
    return (away ? "the coordinator does not answer" : outage.getMessage()) + ", trying again";
  }

  /** What a job that stands still waits for; empty if nothing is found. */
  static String of(Job job, BitloomClient client) {
    JobCounts counts = job.getCounts();
    return switch (job.getState()) {
      case JOB_STATE_PAUSED -> "the job is paused";
      case JOB_STATE_ACCEPTING ->
          counts.getQueued() + counts.getRunning() == 0
              ? "its submission is not complete"
              : workers(job, client);
      case JOB_STATE_QUEUED, JOB_STATE_RUNNING -> workers(job, client);
      default -> NONE;
    };
  }

  private static String workers(Job job, BitloomClient client) {
    GetClusterResponse cluster = client.cluster();
    if (!cluster.getTrouble().isEmpty()) {
      return cluster.getTrouble();
    }
    if (job.getCounts().getRunning() > 0) {
      return NONE;
    }
    boolean able =
        cluster.getWorkersList().stream()
            .anyMatch(worker -> worker.getConnected() && canDraw(worker, job.getModel()));
    // A worker of another coordinator is not listed, but what it holds is.
    boolean busy =
        cluster.getBucketsList().stream()
            .anyMatch(bucket -> bucket.getModel().equals(job.getModel()) && bucket.getLeased() > 0);
    if (!able && !busy) {
      return cluster.getWorkersList().stream().anyMatch(WorkerStatus::getConnected)
          ? "no worker with the model " + job.getModel() + " is connected"
          : "no worker is connected";
    }
    return job.getQueuePosition() > 0
        ? JobReport.plural(job.getQueuePosition(), "job") + " before it"
        : NONE;
  }

  private static boolean canDraw(WorkerStatus worker, String model) {
    return worker.getModelsList().contains(model);
  }
}
