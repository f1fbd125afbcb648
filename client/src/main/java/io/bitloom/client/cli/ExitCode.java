package io.bitloom.client.cli;

import io.bitloom.v1.Job;

/** What the commands return to the shell. */
final class ExitCode {

  static final int DONE = 0;
  static final int FAILED = 1;

  /** Wrong options or a bad input file; nothing was changed. */
  static final int USAGE = 2;

  /** Some of it is done: bad lines were skipped, prompts failed, or the job goes on. */
  static final int PARTIAL = 3;

  private ExitCode() {}

  /** The exit code of a job as it stands. */
  static int of(Job job) {
    boolean some = job.getCounts().getSucceeded() > 0;
    return switch (job.getState()) {
      case JOB_STATE_SUCCEEDED -> DONE;
      case JOB_STATE_PARTIALLY_SUCCEEDED -> PARTIAL;
      case JOB_STATE_FAILED -> FAILED;
      case JOB_STATE_CANCELLED, JOB_STATE_EXPIRED -> some ? PARTIAL : FAILED;
      default -> PARTIAL;
    };
  }
}
