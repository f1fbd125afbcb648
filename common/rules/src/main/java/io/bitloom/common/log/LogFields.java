package io.bitloom.common.log;

/**
 * Names of what a line of the log is about, for those who search in logs. A line's message says it
 * too; these are fields of their own where the log is JSON. {@code docs/reference/logs.md} has
 * them.
 */
public final class LogFields {

  /** Id of a job, without the {@code jobs/} of its name. */
  public static final String JOB = "job";

  /** Offset of a prompt in its job. */
  public static final String PROMPT = "prompt";

  /** Whose job it is. */
  public static final String TENANT = "tenant";

  /** Id of a worker. */
  public static final String WORKER = "worker";

  /** Id of a lease, without its secret. */
  public static final String LEASE = "lease";

  private LogFields() {}
}
