package io.bitloom.coordinator.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;

/** Whether the dispatch loop keeps up. One thread records. */
public final class LoopMetrics {

  private static final double NANOS = 1e9;

  private final Timer wait;
  private final Counter busy;
  private final Counter tasks;

  public LoopMetrics(MeterRegistry registry) {
    this.wait =
        Timer.builder("bitloom.dispatch.wait")
            .description("How long the first of some tasks waited for the dispatch loop")
            .serviceLevelObjectives(Bounds.CALL)
            .register(registry);
    this.busy =
        Counter.builder("bitloom.dispatch.busy")
            .description("Time in which the dispatch loop ran tasks")
            .baseUnit("seconds")
            .register(registry);
    this.tasks =
        Counter.builder("bitloom.dispatch.tasks")
            .description("Tasks that the dispatch loop ran")
            .register(registry);
  }

  /** Some tasks were run one after the other, the first of which had waited for so long. */
  public void ran(long waitedNanos, int count, long busyNanos) {
    wait.record(waitedNanos, TimeUnit.NANOSECONDS);
    busy(count, busyNanos);
  }

  /** Tasks were run at a time that was set for them. */
  public void busy(int count, long busyNanos) {
    busy.increment(busyNanos / NANOS);
    tasks.increment(count);
  }
}
