package io.bitloom.common.trace;

import java.util.Optional;

/**
 * Which prompts have a trace: decided from the trace id as OpenTelemetry's {@code
 * TraceIdRatioBased} does, so that whoever knows the ratio decides the same, and a smaller ratio
 * takes a part of what a larger one takes.
 */
public final class TraceSampling {

  /** No prompt has a trace. */
  public static final TraceSampling NONE = new TraceSampling(0);

  private final double ratio;
  private final long bound;

  private TraceSampling(double ratio) {
    this.ratio = ratio;
    this.bound = (long) (ratio * Long.MAX_VALUE);
  }

  /**
   * A share of all prompts.
   *
   * @param ratio what is not within 0 and 1, as from a peer gone astray, counts as 0
   */
  public static TraceSampling of(double ratio) {
    return ratio > 0 && ratio <= 1 ? new TraceSampling(ratio) : NONE;
  }

  /** 0 (none) to 1 (all). */
  public double ratio() {
    return ratio;
  }

  /** Whether any prompt has a trace. */
  public boolean any() {
    return ratio > 0;
  }

  /** The trace of the prompt at a place in its job; empty if it has none. */
  public Optional<PromptTrace> trace(PromptTrace.OfJob job, long offset) {
    return includes(job.low(offset)) ? Optional.of(job.at(offset)) : Optional.empty();
  }

  /** Whether a trace with this second half of its id is recorded. */
  boolean includes(long low) {
    return ratio == 1 || ratio > 0 && Math.abs(low) < bound;
  }
}
