package io.bitloom.coordinator.queue;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** The outcomes of jobs, in their order. See {@link JobQueue} for what all calls share. */
public interface ResultLog {

  /**
   * Results in the order in which they were committed, at most {@code count} and at most 256;
   * fewer, perhaps none, if there are no more yet. Fails with {@code JOB_NOT_FOUND}.
   *
   * @param afterCursor of the last result that the reader has; 0: from the start
   */
  CompletionStage<List<ResultRecord>> read(String jobId, long afterCursor, int count);

  /**
   * Prompts that failed or were lost, in the order of their outcomes. Fails with {@code
   * JOB_NOT_FOUND}.
   *
   * @param from how many of them to pass over
   * @param count at most so many, and at most 256
   */
  CompletionStage<List<ResultRecord>> failures(String jobId, long from, int count);
}
