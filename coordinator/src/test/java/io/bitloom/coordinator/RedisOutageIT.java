package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RedisOutageIT {

  @TempDir Path directory;
  private EmbeddedRedis redis;
  private TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    redis = EmbeddedRedis.start(directory.resolve("redis"));
    coordinator =
        TestCoordinator.start(directory.resolve("data"), redis.uri(), "test", LeaseConfig.DEFAULTS);
  }

  @AfterEach
  void stop() throws Exception {
    signal("CONT");
    coordinator.close();
    redis.close();
  }

  private void signal(String name) throws Exception {
    String pid = Long.toString(redis.process().orElseThrow().pid());
    assertEquals(0, new ProcessBuilder("kill", "-" + name, pid).start().waitFor());
  }

  private ServingStatus serving() {
    return HealthGrpc.newBlockingStub(coordinator.channel())
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  @Test
  void healthIsRedWhileRedisHangsAndGreenAfterwards() throws Exception {
    awaitTrue("serving", () -> coordinator.ready() == 200 && serving() == ServingStatus.SERVING);
    signal("STOP");
    awaitTrue("not ready", () -> coordinator.ready() == 503);
    awaitTrue("not serving", () -> serving() == ServingStatus.NOT_SERVING);
    StatusRuntimeException error =
        assertThrows(StatusRuntimeException.class, () -> coordinator.job("jobs/some"));
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, GrpcErrors.fromStatus(error).code());
    signal("CONT");
    awaitTrue("serving", () -> coordinator.ready() == 200 && serving() == ServingStatus.SERVING);
  }

  @Test
  void outcomesThatComeWhileRedisHangsAreTakenLater() throws Exception {
    FakeWorker worker =
        coordinator.worker("w", FakeBehaviour.DEFAULT.withBatch(4, Duration.ofSeconds(1)));
    Job job = coordinator.submit(prompts(4));
    awaitTrue("it works", () -> coordinator.job(job.getName()).getCounts().getRunning() == 4);
    signal("STOP");
    awaitTrue("all is drawn", () -> worker.prompts() == 4);
    awaitTrue("not ready", () -> coordinator.ready() == 503);
    assertEquals(0, worker.committed());
    signal("CONT");
    awaitTrue("serving", () -> coordinator.ready() == 200);
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(4, results.size());
    assertTrue(results.stream().allMatch(PromptResult::hasImages));
    awaitTrue("the worker is told", () -> worker.committed() + worker.superseded() == 4);
    assertEquals(1, worker.welcomes());
  }
}
