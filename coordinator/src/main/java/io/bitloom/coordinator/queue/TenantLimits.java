package io.bitloom.coordinator.queue;

/**
 * What all jobs of a tenant together may take.
 *
 * @param openJobs jobs that have not ended
 * @param prompts that have no outcome
 * @param bytes in Redis, of all jobs until they are deleted
 * @param results bytes that these jobs' results take where results are kept
 */
public record TenantLimits(int openJobs, long prompts, long bytes, long results) {

  public static final TenantLimits NONE =
      new TenantLimits(Integer.MAX_VALUE, 1L << 53, 1L << 53, 1L << 53);
}
