package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Finds jobs for callers: what is of another tenant is not there. */
final class JobAccess {

  private final JobStore jobs;

  JobAccess(JobStore jobs) {
    this.jobs = jobs;
  }

  /**
   * The job that a request names. Fails with {@code JOB_NOT_FOUND}.
   *
   * @throws BitloomException {@code INVALID_FIELD} if it is not the name of a job
   */
  CompletionStage<JobRecord> find(Caller caller, String name) {
    return jobs.get(JobNames.id("name", name))
        .thenCompose(
            job ->
                caller.sees(job.tenant())
                    ? CompletableFuture.completedStage(job)
                    : CompletableFuture.failedStage(notThere(name)));
  }

  /** Does something with the id of the job that a request names. */
  <T> CompletionStage<T> with(
      Caller caller, String name, Function<String, CompletionStage<T>> action) {
    return find(caller, name).thenCompose(job -> action.apply(job.id()));
  }

  private static BitloomException notThere(String name) {
    return new BitloomException(ErrorCode.JOB_NOT_FOUND, "there is no job " + name, "name", name);
  }
}
