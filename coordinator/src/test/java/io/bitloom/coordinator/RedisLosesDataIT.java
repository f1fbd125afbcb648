package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Model;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.WatchJobRequest;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Redis forgets everything, while a job runs, somebody watches and workers are connected. */
class RedisLosesDataIT {

  @TempDir Path directory;
  private RedisServers servers;
  private int port;
  private TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    servers = new RedisServers(directory);
    port = RedisServers.freePort();
    servers.start(port, List.of());
    coordinator =
        TestCoordinator.start(
            directory.resolve("data"),
            "redis://127.0.0.1:" + port,
            "test",
            TestCoordinator.QUICK_LEASES);
    coordinator.worker("w", FakeBehaviour.DEFAULT.withBatch(4, Duration.ofMillis(20)));
  }

  @AfterEach
  void stop() {
    coordinator.close();
    servers.close();
  }

  @Test
  void flushAll() throws Exception {
    isSurvived(
        () ->
            servers.await(
                port,
                redis -> {
                  redis.flushall();
                  return true;
                }));
  }

  @Test
  void flushDbWithScripts() throws Exception {
    isSurvived(
        () ->
            servers.await(
                port,
                redis -> {
                  redis.flushdb();
                  redis.scriptFlush();
                  return true;
                }));
  }

  @Test
  void aRestartWithoutData() throws Exception {
    isSurvived(
        () -> {
          servers.kill(port);
          servers.start(port, List.of());
        });
  }

  /** Something that happens to a Redis. */
  private interface Loss {
    void happen() throws Exception;
  }

  private void isSurvived(Loss loss) throws Exception {
    for (int i = 0; i < 3; i++) { // buckets and notifications have counted up
      assertEquals(20, coordinator.results(coordinator.submit(prompts(20)).getName()).size());
    }
    Job open = coordinator.newJob();
    coordinator.append(open.getName(), 0, prompts(5));
    String name = open.getName();
    WatchJobRequest watched = WatchJobRequest.newBuilder().setName(name).build();
    CompletableFuture<ErrorCode> watch = ending(() -> coordinator.batch().watchJob(watched));
    ReadResultsRequest read = ReadResultsRequest.newBuilder().setName(name).setFollow(true).build();
    CompletableFuture<ErrorCode> results = ending(() -> coordinator.batch().readResults(read));
    awaitTrue("drawn", () -> coordinator.job(name).getCounts().getSucceeded() == 5);

    loss.happen();
    assertEquals(ErrorCode.JOB_NOT_FOUND, watch.get(3, TimeUnit.MINUTES));
    assertEquals(ErrorCode.JOB_NOT_FOUND, results.get(3, TimeUnit.MINUTES));
    awaitTrue("the model is announced again", () -> models().size() == 1);
    assertEquals(1, models().get(0).getWorkers());
    assertEquals(
        ErrorCode.JOB_NOT_FOUND,
        GrpcErrors.fromStatus(
                assertThrows(StatusRuntimeException.class, () -> coordinator.job(name)))
            .code());
    List<?> drawn = coordinator.results(coordinator.submit(prompts(20, "1:1", "3:2")).getName());
    assertEquals(20, drawn.size());
    assertTrue(coordinator.ready() == 200);
  }

  private List<Model> models() {
    try {
      return coordinator.batch().listModels(ListModelsRequest.getDefaultInstance()).getModelsList();
    } catch (StatusRuntimeException e) {
      assertEquals(ErrorCode.QUEUE_UNAVAILABLE, GrpcErrors.fromStatus(e).code());
      return List.of();
    }
  }

  /** What a stream ends with, for a caller that calls again while Redis is away. */
  private static CompletableFuture<ErrorCode> ending(Supplier<Iterator<?>> call) {
    return CompletableFuture.supplyAsync(
        () -> {
          ErrorCode code = ErrorCode.QUEUE_UNAVAILABLE;
          while (code == ErrorCode.QUEUE_UNAVAILABLE) {
            try {
              call.get().forEachRemaining(message -> {});
              return null;
            } catch (StatusRuntimeException e) {
              code = GrpcErrors.fromStatus(e).code();
            }
          }
          return code;
        });
  }
}
