package io.bitloom.coordinator.telemetry;

import io.bitloom.common.trace.SpanRef;
import io.prometheus.metrics.tracer.common.SpanContext;
import java.util.Optional;

/**
 * Lets a histogram say which trace it measured. Spans are written when they have ended, so there is
 * no current one: whoever records a measurement says to which span it belongs.
 */
public final class Exemplars implements SpanContext {

  private static final ThreadLocal<SpanRef> MEASURED = new ThreadLocal<>();

  /** Records a measurement that belongs to a span, if there is one. */
  public static void of(Optional<SpanRef> span, Runnable measurement) {
    if (span.isEmpty()) {
      measurement.run();
      return;
    }
    MEASURED.set(span.get());
    try {
      measurement.run();
    } finally {
      MEASURED.remove();
    }
  }

  @Override
  public String getCurrentTraceId() {
    SpanRef span = MEASURED.get();
    return span == null ? null : span.traceId();
  }

  @Override
  public String getCurrentSpanId() {
    SpanRef span = MEASURED.get();
    return span == null ? null : span.spanId();
  }

  @Override
  public boolean isCurrentSpanSampled() {
    return MEASURED.get() != null;
  }

  @Override
  public void markCurrentSpanAsExemplar() {}
}
