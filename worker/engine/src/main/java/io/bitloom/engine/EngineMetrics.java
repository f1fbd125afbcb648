package io.bitloom.engine;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.engine.text.CachedTextEncoder;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** What the engine tells about itself. */
final class EngineMetrics {

  /** From encoding a small image to a large batch on a CPU. */
  private static final Duration[] STAGE_BOUNDS =
      LongStream.of(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
          .mapToObj(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final DistributionSummary batchImages;
  private final Counter images;
  private final Counter memoryExhaustions;
  private final BusyTime deviceBusy = new BusyTime();
  private final Map<String, Timer> stages;

  EngineMetrics(MeterRegistry registry, CachedTextEncoder texts) {
    this.registry = registry;
    this.batchImages =
        DistributionSummary.builder("bitloom.worker.batch.images")
            .description("Images of a batch that was drawn")
            .register(registry);
    this.images =
        Counter.builder("bitloom.worker.images")
            .description("Images that were drawn and encoded")
            .register(registry);
    this.memoryExhaustions =
        Counter.builder("bitloom.worker.memory.exhaustions")
            .description("Batches that ran out of memory and were halved")
            .register(registry);
    FunctionCounter.builder("bitloom.worker.device.busy", deviceBusy, BusyTime::seconds)
        .description("Time in which the device had a batch")
        .baseUnit("seconds")
        .register(registry);
    this.stages =
        Stream.of("text", "transformer", "decode", "encode")
            .collect(Collectors.toMap(stage -> stage, this::stageTimer));
    texts(texts, "hit", CachedTextEncoder::hits);
    texts(texts, "miss", CachedTextEncoder::misses);
    Gauge.builder("bitloom.worker.text.cache", texts, CachedTextEncoder::bytes)
        .description("Memory that the features of texts take which may come again")
        .baseUnit("bytes")
        .register(registry);
  }

  private void texts(
      CachedTextEncoder texts, String cache, ToDoubleFunction<CachedTextEncoder> count) {
    FunctionCounter.builder("bitloom.worker.texts", texts, count)
        .description("Texts that were encoded (miss) or were known (hit)")
        .tag("cache", cache)
        .register(registry);
  }

  /** A batch has the device from now on, until {@link #released}. */
  void occupied() {
    deviceBusy.begin();
  }

  void released() {
    deviceBusy.end();
  }

  void drawn(int images, StageDurations durations) {
    batchImages.record(images);
    stages.get("text").record(durations.text());
    stages.get("transformer").record(durations.transformer());
    stages.get("decode").record(durations.decode());
  }

  void encoded(Duration time) {
    images.increment();
    stages.get("encode").record(time);
  }

  void memoryExhausted() {
    memoryExhaustions.increment();
  }

  void failed(ErrorCode reason) {
    Counter.builder("bitloom.worker.failures")
        .description("Prompts that got no image")
        .tag("reason", reason.name())
        .register(registry)
        .increment();
  }

  private Timer stageTimer(String stage) {
    return Timer.builder("bitloom.worker.stage")
        .description("Wall time of a batch (encode: of an image) in a stage")
        .tag("stage", stage)
        .serviceLevelObjectives(STAGE_BOUNDS)
        .register(registry);
  }
}
