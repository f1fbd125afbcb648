package io.bitloom.common.trace;

import io.opentelemetry.sdk.trace.IdGenerator;
import java.util.function.Supplier;

/** Gives the SDK the ids that a span is to have, on the thread that begins it. */
final class GivenIds implements IdGenerator {

  private final ThreadLocal<SpanRef> next = new ThreadLocal<>();

  /** Begins a span with ids. */
  <T> T use(SpanRef ids, Supplier<T> begin) {
    next.set(ids);
    try {
      return begin.get();
    } finally {
      next.remove();
    }
  }

  @Override
  public String generateTraceId() {
    SpanRef given = next.get();
    return given == null ? IdGenerator.random().generateTraceId() : given.traceId();
  }

  @Override
  public String generateSpanId() {
    SpanRef given = next.get();
    return given == null ? IdGenerator.random().generateSpanId() : given.spanId();
  }
}
