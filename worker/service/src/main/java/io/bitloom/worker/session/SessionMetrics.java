package io.bitloom.worker.session;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** What the session tells about itself. */
final class SessionMetrics {
  private final AtomicLong unacknowledgedBytes = new AtomicLong();
  private final Counter disconnections;

  SessionMetrics(MeterRegistry registry, BooleanSupplier connected) {
    Gauge.builder("bitloom.worker.connected", () -> connected.getAsBoolean() ? 1 : 0)
        .description("Whether a coordinator has welcomed the worker")
        .register(registry);
    Gauge.builder("bitloom.worker.unacknowledged.bytes", unacknowledgedBytes, AtomicLong::get)
        .description("Size of the outcomes that the coordinator has not acknowledged")
        .register(registry);
    disconnections =
        Counter.builder("bitloom.worker.disconnections")
            .description("Connections to a coordinator that failed or broke")
            .register(registry);
  }

  void unacknowledged(long bytes) {
    unacknowledgedBytes.set(bytes);
  }

  void disconnected() {
    disconnections.increment();
  }
}
