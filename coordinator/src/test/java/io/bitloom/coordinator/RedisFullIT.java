package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.redis.RedisServers;
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
      BitloomException full =
          assertThrows(
              BitloomException.class,
              () -> {
                for (int i = 0; ; i++) {
                  coordinator.append(job.getName(), i * 1000L, prompts(1000));
                }
              });
      assertEquals(ErrorCode.QUEUE_UNAVAILABLE, full.code());
      assertTrue(full.getMessage().contains("Redis is full"), full.getMessage());
      isFull(coordinator);
      assertTrue(coordinator.job(job.getName()).getCounts().getAppended() > 0, "can be read");
      limit("0");
      awaitTrue("ready again", () -> coordinator.ready() == 200);
    }
  }
}
