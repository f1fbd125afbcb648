package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.TenantLimits;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What calls about jobs fail with. */
final class JobErrors {

  /** A job is not over in less, as a rule. */
  private static final Duration RETRY_JOB = Duration.ofSeconds(30);

  private JobErrors() {}

  static BitloomException notFound(String jobId) {
    String name = "jobs/" + jobId;
    return new BitloomException(ErrorCode.JOB_NOT_FOUND, "there is no job " + name, "name", name);
  }

  /**
   * @param state empty if there is no such job
   */
  static BitloomException notAccepting(String jobId, Optional<JobState> state) {
    return state
        .map(
            known ->
                inState(jobId, ErrorCode.JOB_NOT_ACCEPTING, "takes no more prompts: it ", known))
        .orElseGet(() -> notFound(jobId));
  }

  /**
   * @param state empty if there is no such job
   */
  static BitloomException notOpen(String jobId, Optional<JobState> state) {
    return state
        .map(
            known -> inState(jobId, ErrorCode.JOB_NOT_OPEN, "can no longer be changed: it ", known))
        .orElseGet(() -> notFound(jobId));
  }

  static BitloomException notTerminal(String jobId, JobState state) {
    return inState(jobId, ErrorCode.JOB_NOT_TERMINAL, "must be cancelled first: it ", state);
  }

  private static BitloomException inState(
      String jobId, ErrorCode code, String fault, JobState state) {
    String name = "jobs/" + jobId;
    String message = name + " " + fault + JobRecord.inWords(state);
    return new BitloomException(code, message, "name", name);
  }

  /**
   * A tenant has too much already.
   *
   * @param limit its name
   * @param used what is used of it
   */
  static <T> CompletionStage<T> exhausted(
      String tenant, TenantLimits limits, String limit, long used) {
    long most =
        switch (limit) {
          case "open_jobs" -> limits.openJobs();
          case "queued_prompts" -> limits.prompts();
          case "queue_bytes" -> limits.bytes();
          default -> limits.results();
        };
    return failed(
        BitloomException.exhausted(
            new Exhausted("tenants/" + tenant, limit, most, used, RETRY_JOB)));
  }

  static <T> CompletionStage<T> tooLarge(String jobId, long most, long used) {
    return failed(
        BitloomException.exhausted(
            new Exhausted("jobs/" + jobId, "job_bytes", most, used, RETRY_JOB)));
  }

  static <T> CompletionStage<T> failed(ErrorCode code, String message, String field, Object value) {
    return failed(new BitloomException(code, message, field, value));
  }

  static <T> CompletionStage<T> failed(BitloomException e) {
    return CompletableFuture.failedStage(e);
  }
}
