package io.bitloom.coordinator.pools;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How the pools stand that an autoscaler has asked for in the last minutes. */
public final class PoolMetrics {

  private static final Logger log = LoggerFactory.getLogger(PoolMetrics.class);

  private final PoolScaling pools;
  private final MultiGauge backlog;
  private final MultiGauge wanted;
  private final MultiGauge connected;
  private final MultiGauge price;

  public PoolMetrics(MeterRegistry registry, PoolScaling pools) {
    this.pools = pools;
    backlog =
        gauge(
            registry,
            "backlog",
            "GPU-seconds of what waits for the pool and of what is leased and not done",
            "seconds");
    wanted = gauge(registry, "workers.wanted", "Workers that the pool should have", null);
    connected = gauge(registry, "workers", "Workers of the pool, at all coordinators", null);
    price =
        gauge(
            registry,
            "price",
            "What the pool costs in an hour: its workers times the price of one",
            null);
  }

  private static MultiGauge gauge(
      MeterRegistry registry, String name, String description, String unit) {
    return MultiGauge.builder("bitloom.pool." + name)
        .description(description)
        .baseUnit(unit)
        .register(registry);
  }

  /**
   * Asks for the present numbers, or forgets them, as they are the cluster's and another
   * coordinator tells them. Completes normally in any case.
   */
  public CompletionStage<Void> refresh(boolean telling) {
    if (!telling) {
      show(List.of());
      return CompletableFuture.completedStage(null);
    }
    return pools
        .asked()
        .thenAccept(this::show)
        .exceptionally(
            e -> {
              log.debug("No numbers of the pools: {}", e.toString());
              return null;
            });
  }

  /** Of a pool that is asked for with several targets, what was found last is shown. */
  private void show(List<PoolStanding> asked) {
    Map<String, PoolStanding> byPool = new LinkedHashMap<>();
    asked.forEach(
        standing ->
            byPool.merge(standing.pool(), standing, (a, b) -> a.atMillis() > b.atMillis() ? a : b));
    show(backlog, byPool, PoolStanding::backlogSeconds);
    show(wanted, byPool, PoolStanding::wanted);
    show(connected, byPool, PoolStanding::connected);
    show(price, byPool, standing -> standing.connected() * standing.pricePerGpuHour());
  }

  private static void show(
      MultiGauge gauge, Map<String, PoolStanding> byPool, ToDoubleFunction<PoolStanding> value) {
    gauge.register(
        byPool.values().stream()
            .<MultiGauge.Row<?>>map(
                standing ->
                    MultiGauge.Row.of(
                        Tags.of("pool", standing.pool()), value.applyAsDouble(standing)))
            .toList(),
        true);
  }
}
