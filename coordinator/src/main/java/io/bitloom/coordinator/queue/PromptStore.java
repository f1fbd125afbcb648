package io.bitloom.coordinator.queue;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** The prompts of jobs. See {@link JobQueue} for what all calls share. */
public interface PromptStore {

  /**
   * Appends prompts, all or none; durable when the stage completes. Prompts below the job's count
   * are there already and are skipped. May be called again before the last stage is complete. Fails
   * with {@code JOB_NOT_FOUND}, {@code JOB_NOT_ACCEPTING}, or {@code OFFSET_OUT_OF_RANGE} if the
   * offset is above the job's count.
   *
   * @param offset place of the first prompt in the job
   * @param prompts efficient from 64 on; at most 10,000
   * @return the job's count of prompts afterwards
   */
  CompletionStage<Long> append(String jobId, long offset, List<NewPrompt> prompts);

  /**
   * Lets a tenant append prompts to a job, if what its open jobs have to do stays within a limit;
   * exact, whichever coordinators it appends at, as long as all ask. Asking again for the same
   * prompts changes nothing.
   *
   * @param offset of the first of them
   * @param most prompts of all jobs of the tenant that may be without an outcome
   * @param open the tenant's jobs that have not ended, as they are or were a while ago
   */
  CompletionStage<Boolean> admit(
      String tenant, String jobId, long offset, int count, long most, List<JobRecord> open);

  /** Prompts without an outcome; looks at no more than so many, and no more than 256. */
  CompletionStage<WaitingPage> waiting(String jobId, WaitingPage.Place from, int count);
}
