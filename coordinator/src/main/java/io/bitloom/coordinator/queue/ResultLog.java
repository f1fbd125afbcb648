package io.bitloom.coordinator.queue;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** The outcomes of jobs, in their order. See {@link JobQueue} for what all calls share. */
public interface ResultLog {

  /**
   * Results in the order in which they were committed, at most {@code count} and at most 256;
   * fewer, perhaps none, if there are no more yet. Those of a job that is spread over several parts
   * are in that order within each part. Fails with {@code JOB_NOT_FOUND}.
   *
   * @param after the last result that the reader has
   */
  CompletionStage<List<ResultRecord>> read(String jobId, Cursor after, int count);

  /**
   * Prompts that failed or were lost, in the order of their outcomes. Fails with {@code
   * JOB_NOT_FOUND}.
   *
   * @param after a place among them
   * @param count at most so many, and at most 256
   */
  CompletionStage<List<Failed>> failures(String jobId, Cursor after, int count);

  /**
   * A prompt that failed or was lost.
   *
   * @param behind the place behind it among the job's failures
   */
  record Failed(ResultRecord result, Cursor behind) {}
}
