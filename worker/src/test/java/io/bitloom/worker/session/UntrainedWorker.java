package io.bitloom.worker.session;

import io.bitloom.common.net.ServerAddress;
import io.bitloom.worker.generate.GenerationPipeline;
import io.bitloom.worker.generate.PipelineConfig;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.tensor.TorchDevice;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;

/** The untrained model on the CPU, loaded once for all tests of this JVM. */
final class UntrainedWorker {
  private static final UntrainedWorker SHARED = new UntrainedWorker();

  private final ModelDirectory directory = ModelDirectory.open(ModelDirectory.UNTRAINED);
  private final GenerationPipeline pipeline =
      GenerationPipeline.load(
          directory, PipelineConfig.of(TorchDevice.CPU), new SimpleMeterRegistry());

  static UntrainedWorker shared() {
    return SHARED;
  }

  WorkerSession session(String coordinator) {
    return session(coordinator, 64 << 20);
  }

  WorkerSession session(String coordinator, long maxUnacknowledgedBytes) {
    AnnouncedModel model = AnnouncedModel.of(directory, pipeline.capacity());
    SessionConfig config =
        new SessionConfig(
            List.of(ServerAddress.coordinator("coordinator", coordinator)),
            CoordinatorAccess.OPEN,
            "worker-under-test",
            "cpu",
            2,
            maxUnacknowledgedBytes,
            Duration.ofSeconds(10),
            Duration.ofMillis(50),
            Duration.ofMillis(500));
    return new WorkerSession(config, model, pipeline, new SimpleMeterRegistry());
  }
}
