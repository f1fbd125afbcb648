package io.bitloom.coordinator.telemetry;

import io.bitloom.common.trace.Tracing;
import io.bitloom.common.trace.Tracing.SpanCounts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.ToLongFunction;

/** What became of spans. */
public final class TraceMetrics implements MeterBinder {

  private final Tracing tracing;

  public TraceMetrics(Tracing tracing) {
    this.tracing = tracing;
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    spans(registry, "recorded", SpanCounts::recorded);
    spans(registry, "exported", SpanCounts::exported);
    spans(registry, "lost", SpanCounts::lost);
  }

  private void spans(MeterRegistry registry, String fate, ToLongFunction<SpanCounts> count) {
    FunctionCounter.builder("bitloom.trace.spans", tracing, t -> count.applyAsLong(t.counts()))
        .description("Spans: all, those that the receiver took, those that it did not take")
        .tag("fate", fate)
        .register(registry);
  }
}
