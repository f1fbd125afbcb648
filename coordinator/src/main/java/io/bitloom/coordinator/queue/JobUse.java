package io.bitloom.coordinator.queue;

/**
 * What a job took until some time. Every number only ever grows, so of two the larger is the later.
 *
 * @param prompts that were appended
 * @param decided prompts that have their outcome
 * @param bytes in Redis
 * @param results bytes that its results take where results are kept
 */
public record JobUse(long prompts, long decided, long bytes, long results) {

  public static final JobUse NONE = new JobUse(0, 0, 0, 0);

  /** What two take together. */
  public JobUse plus(JobUse other) {
    return new JobUse(
        prompts + other.prompts,
        decided + other.decided,
        bytes + other.bytes,
        results + other.results);
  }

  /** The later of two. */
  public static JobUse later(JobUse one, JobUse other) {
    return new JobUse(
        Math.max(one.prompts, other.prompts),
        Math.max(one.decided, other.decided),
        Math.max(one.bytes, other.bytes),
        Math.max(one.results, other.results));
  }
}
