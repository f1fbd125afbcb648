package io.bitloom.coordinator.telemetry;

import io.bitloom.common.trace.SpanRef;
import io.micrometer.core.instrument.Clock;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.tracer.common.SpanContext;
import java.util.Optional;

/**
 * Lets a histogram say which trace it measured. Spans are written when they have ended, so there is
 * no current one: whoever records a measurement says to which span it belongs.
 */
public final class Exemplars implements SpanContext {

  private static final ThreadLocal<SpanRef> MEASURED = new ThreadLocal<>();

  /** A registry whose histograms have exemplars. */
  public static PrometheusMeterRegistry registry() {
    return new PrometheusMeterRegistry(
        PrometheusConfig.DEFAULT, new PrometheusRegistry(), Clock.SYSTEM, new Exemplars());
  }

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
