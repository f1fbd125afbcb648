package io.bitloom.client.sdk;

import io.bitloom.common.grpc.TraceHeaders;
import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanAttributes;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.Steps;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.common.trace.TraceSampling;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.common.trace.Tracing;
import io.grpc.Metadata;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import java.util.Optional;

/**
 * The first spans of prompts' traces. While tracing is off nothing of OpenTelemetry is loaded: that
 * is all in {@link Current}.
 */
final class SubmitTraces {

  private final Tracing tracing;

  SubmitTraces(Tracing tracing) {
    this.tracing = tracing;
  }

  boolean on() {
    return tracing.on();
  }

  /** The time, for {@link #acknowledged}; 0 if nobody asks. */
  long now() {
    return on() ? TraceClock.now() : 0;
  }

  /** What calls that append prompts say besides. */
  Metadata headers() {
    Metadata headers = new Metadata();
    if (on()) {
      TraceHeaders.putSubmits(headers);
    }
    return headers;
  }

  /** The caller's own span, if its program has OpenTelemetry and it is in a span. */
  Optional<SpanRef> current() {
    return on() ? Current.span() : Optional.empty();
  }

  /**
   * Prompts cannot be lost any more.
   *
   * @param offset of the first one
   * @param handed when each of them was taken from the caller
   * @param ratio share of prompts that have a trace
   * @param caller in which span they were
   */
  void acknowledged(
      String job, long offset, long[] handed, double ratio, Optional<SpanRef> caller) {
    TraceSampling sampling = TraceSampling.of(ratio);
    if (!sampling.any()) {
      return;
    }
    long now = TraceClock.now();
    PromptTrace.OfJob ofJob = PromptTrace.ofJob(job);
    for (int i = 0; i < handed.length; i++) {
      long since = handed[i];
      long place = offset + i;
      sampling
          .trace(ofJob, place)
          .ifPresent(trace -> tracing.record(span(trace, job, place, caller).between(since, now)));
    }
  }

  private static TraceSpan.Builder span(
      PromptTrace trace, String job, long offset, Optional<SpanRef> caller) {
    TraceSpan.Builder span =
        TraceSpan.of(trace.span(Steps.SUBMIT), Steps.SUBMIT, TraceSpan.Kind.PRODUCER)
            .with(SpanAttributes.SYSTEM, "bitloom")
            .with(SpanAttributes.OPERATION, Steps.SUBMIT)
            .with(SpanAttributes.OPERATION_TYPE, "create")
            .with(SpanAttributes.JOB, job)
            .with(SpanAttributes.OFFSET, offset);
    caller.ifPresent(span::link);
    return span;
  }

  /** What the program says of itself through OpenTelemetry's interface. */
  private static final class Current {

    static Optional<SpanRef> span() {
      SpanContext current = Span.current().getSpanContext();
      return current.isValid() && current.isSampled()
          ? Optional.of(SpanRef.of(current.getTraceId(), current.getSpanId()))
          : Optional.empty();
    }
  }
}
