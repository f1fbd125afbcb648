package io.bitloom.coordinator.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** How long the store of images takes, and how much goes through it. */
public final class StoreMetrics {

  /** What is asked of a store. */
  public enum Call {
    PUT,
    CONFIRM,
    WRITE,
    READ,
    DELETE
  }

  private final String store;
  private final MeterRegistry registry;
  private final Map<Call, Timer> done = new EnumMap<>(Call.class);
  private final Map<Call, Timer> failed = new EnumMap<>(Call.class);
  private final Counter stored;
  private final Counter read;

  /**
   * @param store its kind, {@code directory} or {@code s3}
   */
  public StoreMetrics(String store, MeterRegistry registry) {
    this.store = store;
    this.registry = registry;
    Arrays.stream(Call.values())
        .forEach(
            call -> {
              done.put(call, timer(call, "ok"));
              failed.put(call, timer(call, "error"));
            });
    this.stored = bytes("in");
    this.read = bytes("out");
  }

  public void called(Call call, long nanos, boolean ok) {
    (ok ? done : failed).get(call).record(nanos, TimeUnit.NANOSECONDS);
  }

  /** An image is in the store, by our own hands or by its worker's. */
  public void stored(long bytes) {
    stored.increment(bytes);
  }

  /** An image was read. */
  public void read(long bytes) {
    read.increment(bytes);
  }

  private Timer timer(Call call, String result) {
    return Timer.builder("bitloom.store.call")
        .description("How long the store of images took for an image, or to delete a job's")
        .tags("store", store, "call", call.name().toLowerCase(Locale.ROOT), "result", result)
        .serviceLevelObjectives(Bounds.STORE)
        .register(registry);
  }

  private Counter bytes(String direction) {
    return Counter.builder("bitloom.store.data")
        .description("Bytes of images that went into the store and came out of it")
        .baseUnit("bytes")
        .tags("store", store, "direction", direction)
        .register(registry);
  }
}
