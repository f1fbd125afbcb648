package io.bitloom.coordinator.telemetry;

import io.bitloom.coordinator.redis.RedisConnection;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** How long Redis takes, and what it refuses. */
public final class RedisMetrics implements RedisConnection.CallTimes {

  private final MeterRegistry registry;
  private final Map<String, Timer> answered = new ConcurrentHashMap<>();
  private final Map<String, Timer> failed = new ConcurrentHashMap<>();

  public RedisMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  @Override
  public void called(String name, long nanos, boolean ok) {
    (ok ? answered : failed)
        .computeIfAbsent(name, call -> timer(call, ok ? "ok" : "error"))
        .record(nanos, TimeUnit.NANOSECONDS);
  }

  private Timer timer(String call, String result) {
    return Timer.builder("bitloom.redis.call")
        .description("From a call to the reply of Redis, or to its failure")
        .tags("call", call, "result", result)
        .serviceLevelObjectives(Bounds.CALL)
        .register(registry);
  }
}
