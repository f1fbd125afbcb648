package io.bitloom.coordinator.queue;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** The prompts of jobs. See {@link JobQueue} for what all calls share. */
public interface PromptStore {

  /**
   * Appends prompts, all or none, or the first of them if the job is spread and they are not in one
   * part; durable when the stage completes. Prompts below the job's count are there already and are
   * skipped. May be called again before the last stage is complete. Fails with {@code
   * JOB_NOT_FOUND}, {@code JOB_NOT_ACCEPTING}, {@code OFFSET_OUT_OF_RANGE} if the offset is above
   * the job's count, or {@code LIMIT_EXCEEDED} if the job becomes too large.
   *
   * @param offset place of the first prompt in the job
   * @param prompts efficient from 64 on; at most 10,000
   * @param mostBytes that the whole job may take
   * @param listener told how far it is
   * @return the job's count of prompts afterwards
   */
  CompletionStage<Long> append(
      String jobId, long offset, List<NewPrompt> prompts, long mostBytes, AppendListener listener);

  /** Appends, as above. */
  default CompletionStage<Long> append(
      String jobId, long offset, List<NewPrompt> prompts, long mostBytes) {
    return append(jobId, offset, prompts, mostBytes, AppendListener.NONE);
  }

  /** Appends, as above, to a job that may be of any size. */
  default CompletionStage<Long> append(String jobId, long offset, List<NewPrompt> prompts) {
    return append(jobId, offset, prompts, TenantLimits.NONE.bytes());
  }

  /**
   * Lets a tenant append prompts to a job, or fails with {@code LIMIT_EXCEEDED}; exact, whichever
   * coordinators it appends at, as long as all ask. Asking again for the same prompts changes
   * nothing.
   *
   * @param offset of the first of them
   * @param bytes as {@link StoredBytes} counts them
   * @return what the tenant uses then
   */
  CompletionStage<TenantUse> reserve(
      String tenant, String jobId, long offset, int count, long bytes, TenantLimits limits);

  /** Prompts without an outcome; looks at no more than so many, and no more than 256. */
  CompletionStage<WaitingPage> waiting(String jobId, WaitingPage.Place from, int count);
}
