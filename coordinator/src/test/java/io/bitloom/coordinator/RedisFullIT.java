package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.Job;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Redis that has no room left says so, and so does whoever uses it. */
class RedisFullIT {

  @TempDir Path directory;
  private RedisServers servers;
  private int port;

  @BeforeEach
  void start() throws Exception {
    servers = new RedisServers(directory);
    port = RedisServers.freePort();
  }

  @AfterEach
  void stop() {
    servers.close();
  }

  private TestCoordinator coordinator(String... lines) throws Exception {
    servers.start(port, List.of(lines));
    return TestCoordinator.start(
        directory.resolve("data"),
        "redis://127.0.0.1:" + port,
        "test",
        TestCoordinator.QUICK_LEASES);
  }

  private void limit(String bytes) throws Exception {
    servers.await(port, redis -> redis.configSet("maxmemory", bytes).equals("OK"));
  }

  private static void isFull(TestCoordinator coordinator) throws Exception {
    awaitTrue(
        "not ready, being full",
        () -> coordinator.health().body().contains("Redis is full") && coordinator.ready() == 503);
  }

  @Test
  void oneThatBecomesFullWhileNobodyCalls() throws Exception {
    try (TestCoordinator coordinator = coordinator()) {
      awaitTrue("ready", () -> coordinator.ready() == 200);
      limit("1");
      isFull(coordinator);
      limit("0");
      awaitTrue("ready again", () -> coordinator.ready() == 200);
    }
  }

  @Test
  void oneThatIsFullAtTheStart() throws Exception {
    try (TestCoordinator coordinator = coordinator("maxmemory 1")) {
      isFull(coordinator);
      limit("0");
      awaitTrue("ready", () -> coordinator.ready() == 200);
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      assertEquals(8, coordinator.results(coordinator.submit(prompts(8)).getName()).size());
    }
  }

  @Test
  void oneThatJobsFillSaysSoToWhoeverAppends() throws Exception {
    try (TestCoordinator coordinator = coordinator("maxmemory 4mb")) {
      coordinator.worker("w", FakeBehaviour.DEFAULT.withBatch(4, java.time.Duration.ofHours(1)));
      Job job = coordinator.newJob();
      BitloomException full = fill(coordinator, job);
      assertEquals(ErrorCode.LIMIT_EXCEEDED, full.code());
      assertTrue(full.getMessage().startsWith("Redis is full"), full.getMessage());
      assertTrue(full.getMessage().contains("redis-memory"), full.getMessage());
      Exhausted limit = full.exhausted().orElseThrow();
      assertEquals("maxmemory", limit.limit());
      assertEquals(4 << 20, limit.value());
      assertTrue(limit.used() >= limit.value(), limit.toString());
      isFull(coordinator);
      assertTrue(coordinator.job(job.getName()).getCounts().getAppended() > 0, "can be read");
      limit("0");
      awaitTrue("ready again", () -> coordinator.ready() == 200);
    }
  }

  /** Appends until that is refused. */
  private static BitloomException fill(TestCoordinator coordinator, Job job) {
    return assertThrows(
        BitloomException.class,
        () -> {
          for (int i = 0; ; i++) {
            coordinator.append(job.getName(), i * 1000L, prompts(1000));
          }
        });
  }

  /** A late image may be stored while the others are deleted; then the call is to be repeated. */
  private static boolean deleted(TestCoordinator coordinator, DeleteJobRequest request) {
    try {
      return coordinator.batch().deleteJob(request) != null;
    } catch (RuntimeException e) {
      assertEquals(ErrorCode.RESULT_STORE_UNAVAILABLE, GrpcErrors.fromStatus(e).code());
      return false;
    }
  }

  @Test
  void whatIsInOneThatIsFullIsDrawnAndDeletedSoThatItHasRoomAgain() throws Exception {
    try (TestCoordinator coordinator = coordinator("maxmemory 4mb")) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.newJob();
      fill(coordinator, job);
      long appended = coordinator.job(job.getName()).getCounts().getAppended();
      assertEquals(0, appended % 1000, "nothing is half stored");

      coordinator.worker("w", FakeBehaviour.DEFAULT);
      coordinator.seal(job.getName());
      assertEquals(appended, coordinator.results(job.getName()).size());
      assertEquals(
          ErrorCode.LIMIT_EXCEEDED,
          GrpcErrors.fromStatus(assertThrows(RuntimeException.class, coordinator::newJob)).code());
      DeleteJobRequest delete = DeleteJobRequest.newBuilder().setName(job.getName()).build();
      awaitTrue("deleted", () -> deleted(coordinator, delete));
      awaitTrue("ready again", () -> coordinator.ready() == 200);
      assertEquals(8, coordinator.results(coordinator.submit(prompts(8)).getName()).size());
    }
  }
}
