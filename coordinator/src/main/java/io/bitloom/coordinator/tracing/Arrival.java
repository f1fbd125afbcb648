package io.bitloom.coordinator.tracing;

/**
 * How prompts came in, for their traces.
 *
 * @param since when, by {@link io.bitloom.common.trace.TraceClock}
 */
public record Arrival(long since, CallersTrace caller) {

  /** Nobody will ask. */
  static final Arrival UNTRACED = new Arrival(0, CallersTrace.NONE);
}
