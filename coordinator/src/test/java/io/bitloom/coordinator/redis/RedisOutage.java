package io.bitloom.coordinator.redis;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A coordinator that loses its Redis in the middle of a job. Leases last for an hour: whatever an
 * outage leaves behind must be mended by its end and not by a lease that expires.
 */
final class RedisOutage implements AutoCloseable {

  private static final int PROMPTS = 60;
  private static final LeaseConfig LEASES =
      new LeaseConfig(Duration.ofHours(1), Duration.ofSeconds(2), Duration.ofSeconds(1), 5);

  private final TestCoordinator coordinator;

  RedisOutage(Path directory, int port) throws Exception {
    coordinator = TestCoordinator.start(directory, "redis://127.0.0.1:" + port, "faults", LEASES);
    coordinator.worker("w", FakeBehaviour.DEFAULT.withBatch(4, Duration.ofMillis(50)));
  }

  /** Calls fail at once while Redis is away, and nothing is lost when it is back. */
  void survives(Runnable fault, Runnable repair) throws Exception {
    Job job = coordinator.submit(prompts(PROMPTS));
    awaitTrue("some are done", () -> coordinator.job(job.getName()).getCounts().getSucceeded() > 4);
    fault.run();
    awaitTrue("not ready", () -> coordinator.ready() == 503);
    StatusRuntimeException error =
        assertThrows(StatusRuntimeException.class, () -> coordinator.job(job.getName()));
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, GrpcErrors.fromStatus(error).code());
    repair.run();
    awaitTrue("all are done", () -> succeeded(job) == PROMPTS);
    awaitTrue("ready", () -> coordinator.ready() == 200);
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(PROMPTS, results.size());
    assertEquals(PROMPTS, results.stream().map(PromptResult::getOffset).distinct().count());
  }

  /** 0 while Redis is away. */
  private int succeeded(Job job) {
    try {
      return (int) coordinator.job(job.getName()).getCounts().getSucceeded();
    } catch (StatusRuntimeException e) {
      assertEquals(ErrorCode.QUEUE_UNAVAILABLE, GrpcErrors.fromStatus(e).code());
      return 0;
    }
  }

  @Override
  public void close() {
    coordinator.close();
  }
}
