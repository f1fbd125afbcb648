package io.bitloom.common.trace;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The trace of one prompt. Its ids follow from job and offset, so client, coordinators and workers
 * name the same spans without telling each other.
 *
 * @param high first half of the trace id
 * @param low second half of the trace id, which decides whether the prompt has a trace
 */
public record PromptTrace(long high, long low) {

  /** Differences of 2^64 divided by the golden ratio: SplitMix64's. */
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private static final String COLLECTION = "jobs/";

  /** The traces of one job: what of the ids follows from the job alone. */
  public static final class OfJob {

    private final String jobId;
    private final long high;
    private final long low;

    private OfJob(String jobId) {
      ByteBuffer digest = sha256(jobId);
      this.jobId = jobId;
      this.high = digest.getLong();
      this.low = digest.getLong();
    }

    public String jobId() {
      return jobId;
    }

    /** The trace of the prompt at a place in the job. */
    public PromptTrace at(long offset) {
      // A permutation: no two prompts of a job share the second half.
      return new PromptTrace(mixed(high ^ mixed(offset + 1)), notZero(low(offset)));
    }

    /** The half of the trace id that a {@link TraceSampling} looks at. */
    long low(long offset) {
      return mixed(low + (offset + 1) * GOLDEN);
    }
  }

  /**
   * The traces of a job.
   *
   * @param job its id or its resource name
   */
  public static OfJob ofJob(String job) {
    return new OfJob(job.startsWith(COLLECTION) ? job.substring(COLLECTION.length()) : job);
  }

  /**
   * The trace in which a lease is drawn as one batch; its prompts' traces have links to it.
   *
   * @param leaseId unique in the cluster
   */
  public static PromptTrace ofLease(String leaseId) {
    ByteBuffer digest = sha256("lease " + leaseId);
    return new PromptTrace(digest.getLong(), notZero(digest.getLong()));
  }

  /** The span of a step that a prompt takes once. */
  public SpanRef span(String step) {
    return span(step, 0);
  }

  /**
   * The span of a step that a prompt may take several times.
   *
   * @param turn tells the times apart
   */
  public SpanRef span(String step, long turn) {
    long seed = mixed(high ^ mixed(low ^ mixed(step.hashCode() + turn * GOLDEN)));
    return new SpanRef(high, low, notZero(seed));
  }

  private static long notZero(long half) {
    return half == 0 ? GOLDEN : half; // zeros are no valid id
  }

  private static ByteBuffer sha256(String text) {
    try {
      return ByteBuffer.wrap(
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** The finalizer of SplitMix64, a permutation. */
  private static long mixed(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
