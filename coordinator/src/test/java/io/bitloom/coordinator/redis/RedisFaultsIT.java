package io.bitloom.coordinator.redis;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.PortBinding;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.GrpcErrors;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.grpc.StatusRuntimeException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/** What Redis in a container can suffer. Nothing is lost, and calls fail at once meanwhile. */
class RedisFaultsIT {

  private static final int PROMPTS = 60;

  @TempDir Path directory;
  private GenericContainer<?> redis;
  private Partition way;
  private TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    boolean engine = TestRedis.containerEngineHasImage();
    if (!engine) {
      System.out.println("RedisFaultsIT is skipped: no container engine with " + TestRedis.IMAGE);
    }
    assumeTrue(engine);
    int port = RedisServers.freePort();
    redis =
        new GenericContainer<>(DockerImageName.parse(TestRedis.IMAGE))
            .withExposedPorts(6379)
            .withCreateContainerCmdModifier(
                create ->
                    create.withHostConfig(
                        HostConfig.newHostConfig()
                            .withPortBindings(PortBinding.parse("127.0.0.1:" + port + ":6379"))))
            .withCommand(
                "redis-server",
                "--protected-mode",
                "no",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always");
    redis.start();
    way = new Partition("127.0.0.1", port);
    coordinator =
        TestCoordinator.start(
            directory, "redis://127.0.0.1:" + way.port(), "faults", LeaseConfig.DEFAULTS);
    coordinator.worker("w", FakeBehaviour.DEFAULT.withBatch(4, Duration.ofMillis(50)));
  }

  @AfterEach
  void stop() throws Exception {
    if (redis != null) {
      coordinator.close();
      way.close();
      redis.stop();
    }
  }

  private DockerClient engine() {
    return redis.getDockerClient();
  }

  @Test
  void aPauseIsSurvived() throws Exception {
    faulty(
        () -> engine().pauseContainerCmd(redis.getContainerId()).exec(),
        () -> engine().unpauseContainerCmd(redis.getContainerId()).exec());
  }

  @Test
  void aKillIsSurvived() throws Exception {
    faulty(
        () -> engine().killContainerCmd(redis.getContainerId()).exec(),
        () -> engine().startContainerCmd(redis.getContainerId()).exec());
  }

  @Test
  void aPartitionIsSurvived() throws Exception {
    faulty(() -> way.cut(true), () -> way.cut(false));
  }

  private void faulty(Runnable fault, Runnable repair) throws Exception {
    Job job = coordinator.submit(prompts(PROMPTS));
    awaitTrue("some are done", () -> coordinator.job(job.getName()).getCounts().getSucceeded() > 4);
    fault.run();
    long since = System.nanoTime();
    awaitTrue("not ready", () -> ready() == 503);
    assertEquals(0, Duration.ofNanos(System.nanoTime() - since).toSeconds() / 5);
    StatusRuntimeException error =
        assertThrows(StatusRuntimeException.class, () -> coordinator.job(job.getName()));
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, GrpcErrors.fromStatus(error).code());
    repair.run();
    awaitTrue("all are done", () -> succeeded(job) == PROMPTS);
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

  private int ready() {
    try {
      return HttpClient.newHttpClient()
          .send(
              HttpRequest.newBuilder(URI.create(coordinator.http("/health/ready"))).build(),
              HttpResponse.BodyHandlers.ofString())
          .statusCode();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
