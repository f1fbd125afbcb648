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
import java.util.function.ToDoubleFunction;

/** What the engine tells about itself. */
final class EngineMetrics {
  private final MeterRegistry registry;
  private final DistributionSummary batchImages;
  private final Counter images;
  private final Counter memoryExhaustions;

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

  void drawn(int images, StageDurations durations) {
    batchImages.record(images);
    stage("text", durations.text());
    stage("transformer", durations.transformer());
    stage("decode", durations.decode());
  }

  void encoded(Duration time) {
    images.increment();
    stage("encode", time);
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

  private void stage(String stage, Duration time) {
    Timer.builder("bitloom.worker.stage")
        .description("Wall time of a batch (encode: of an image) in a stage")
        .tag("stage", stage)
        .register(registry)
        .record(time);
  }
}
