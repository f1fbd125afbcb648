package io.bitloom.worker.cli;

import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.worker.models.EngineOpener;
import io.bitloom.worker.rewrite.ChatRewriter;
import io.bitloom.worker.rewrite.PromptRewriterConfig;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads the models of a worker, all with the same settings onto one device. */
final class WarmEngines implements EngineOpener {

  private static final Logger log = LoggerFactory.getLogger(WarmEngines.class);

  private final EngineConfig config;
  private final Optional<PromptRewriterConfig> rewriting;
  private final MeterRegistry metrics;
  private final DeviceThread device;
  private final Duration warmUp;

  /**
   * @param warmUp most time that drawing batches of every size takes on a GPU
   */
  WarmEngines(
      EngineConfig config,
      Optional<PromptRewriterConfig> rewriting,
      MeterRegistry metrics,
      DeviceThread device,
      Duration warmUp) {
    this.config = config;
    this.rewriting = rewriting;
    this.metrics = metrics;
    this.device = device;
    this.warmUp = warmUp;
  }

  @Override
  public long memory(ModelDirectory directory) {
    return Engine.memory(directory, config);
  }

  @Override
  public Engine open(ModelDirectory directory) {
    long start = System.nanoTime();
    Engine engine =
        Engine.open(
            directory,
            config,
            rewriting.map(settings -> new ChatRewriter(settings, metrics)),
            metrics,
            device);
    boolean warm = false;
    try {
      engine.warmUp(warmUp);
      warm = true;
    } finally {
      if (!warm) {
        engine.close();
      }
    }
    log.info(
        "Model {} ({}) is loaded and warm after {} ms. {}",
        directory.name(),
        directory.digest(),
        (System.nanoTime() - start) / 1_000_000,
        directory.description());
    return engine;
  }
}
