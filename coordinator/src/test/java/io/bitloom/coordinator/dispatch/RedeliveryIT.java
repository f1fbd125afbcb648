package io.bitloom.coordinator.dispatch;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.v1.Lease;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How long the prompts of a lost worker wait for another one; also just after a start. */
class RedeliveryIT {

  @TempDir Path directory;

  private TestCoordinator start(LeaseConfig leases) throws Exception {
    TestCoordinator coordinator =
        TestCoordinator.start(directory, TestRedis.uri(), "test-" + UUID.randomUUID(), leases);
    coordinator.announce("fake", "0.06M");
    return coordinator;
  }

  private static ScriptedWorker connect(TestCoordinator coordinator, String id) throws Exception {
    return new ScriptedWorker(coordinator.channel()).welcome(id);
  }

  @Test
  void promptsOfACutConnectionAreWithAnotherWorkerWithinTwoSeconds() throws Exception {
    try (TestCoordinator coordinator = start(LeaseConfig.DEFAULTS)) {
      coordinator.submit(prompts(4));
      ScriptedWorker lost = connect(coordinator, "lost");
      assertEquals(4, lost.lease().getTasksCount());
      ScriptedWorker other = connect(coordinator, "other");
      lost.cut();
      redelivered(other, Duration.ofSeconds(2));
    }
  }

  @Test
  void promptsOfAWorkerThatHangsAreWithAnotherOneASecondAfterTheirLease() throws Exception {
    try (TestCoordinator coordinator = start(TestCoordinator.QUICK_LEASES)) {
      coordinator.submit(prompts(4));
      ScriptedWorker hanging = connect(coordinator, "hanging");
      assertEquals(4, hanging.lease().getTasksCount());
      redelivered(
          connect(coordinator, "other"), TestCoordinator.QUICK_LEASES.duration().plusSeconds(1));
    }
  }

  private static void redelivered(ScriptedWorker other, Duration limit) throws Exception {
    long since = System.nanoTime();
    Lease again = other.lease();
    Duration waited = Duration.ofNanos(System.nanoTime() - since);
    assertEquals(2, again.getTasks(0).getAttempt());
    assertTrue(waited.compareTo(limit) < 0, "it took " + waited);
  }
}
