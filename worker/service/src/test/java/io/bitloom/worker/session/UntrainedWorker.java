package io.bitloom.worker.session;

import io.bitloom.common.net.ServerAddress;
import io.bitloom.common.rules.Pools;
import io.bitloom.common.trace.Tracing;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.TorchDevice;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;

/** The untrained model on the CPU, loaded once for all tests of this JVM. */
final class UntrainedWorker {
  private static final UntrainedWorker SHARED = new UntrainedWorker();

  private final Engine engine =
      Engine.open(ModelDirectory.open(ModelDirectory.UNTRAINED), EngineConfig.of(TorchDevice.CPU));

  static UntrainedWorker shared() {
    return SHARED;
  }

  CoordinatorSession session(String coordinator) {
    return session(coordinator, 64 << 20);
  }

  CoordinatorSession session(String coordinator, long maxUnacknowledgedBytes) {
    SessionConfig config =
        new SessionConfig(
            List.of(ServerAddress.coordinator("coordinator", coordinator)),
            CoordinatorAccess.OPEN,
            "worker-under-test",
            Pools.DEFAULT,
            "cpu",
            2,
            maxUnacknowledgedBytes,
            Duration.ofSeconds(10),
            Duration.ofMillis(50),
            Duration.ofMillis(500));
    return new CoordinatorSession(config, engine, new SimpleMeterRegistry(), Tracing.OFF);
  }
}
