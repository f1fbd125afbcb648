package io.bitloom.coordinator.telemetry;

import io.bitloom.coordinator.queue.BucketBacklog;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.ToDoubleFunction;

/** What waits, by bucket. Filled when somebody asks for metrics. */
public final class QueueMetrics {

  private final MultiGauge prompts;
  private final MultiGauge images;
  private final MultiGauge retries;
  private final MultiGauge leased;
  private final MultiGauge age;

  /**
   * @param redisAvailable whether Redis answers
   */
  public QueueMetrics(MeterRegistry registry, BooleanSupplier redisAvailable) {
    prompts = gauge(registry, "prompts", "Prompts that wait for their first attempt", null);
    images = gauge(registry, "images", "Images that these prompts ask for", null);
    retries = gauge(registry, "retries", "Prompts that wait for a later attempt", null);
    leased = gauge(registry, "leased", "Prompts that workers hold", null);
    age =
        gauge(
            registry,
            "age",
            "How long the least recently served job of the bucket has waited",
            "seconds");
    Gauge.builder("bitloom.redis.up", () -> redisAvailable.getAsBoolean() ? 1 : 0)
        .description("1 if Redis answers")
        .register(registry);
  }

  private static MultiGauge gauge(
      MeterRegistry registry, String name, String description, String unit) {
    return MultiGauge.builder("bitloom.queue." + name)
        .description(description)
        .baseUnit(unit)
        .register(registry);
  }

  /** Shows this state of the queue from now on. */
  public void show(List<BucketBacklog> backlog) {
    show(prompts, backlog, BucketBacklog::prompts);
    show(images, backlog, BucketBacklog::images);
    show(retries, backlog, BucketBacklog::retries);
    show(leased, backlog, BucketBacklog::leased);
    show(age, backlog, bucket -> bucket.oldest().toMillis() / 1000.0);
  }

  private static void show(
      MultiGauge gauge, List<BucketBacklog> backlog, ToDoubleFunction<BucketBacklog> value) {
    gauge.register(
        backlog.stream()
            .<MultiGauge.Row<?>>map(
                bucket ->
                    MultiGauge.Row.of(
                        Tags.of(
                            "model",
                            bucket.bucket().model(),
                            "schedule",
                            bucket.bucket().schedule()),
                        value.applyAsDouble(bucket)))
            .toList(),
        true);
  }
}
