package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.TestRedis;
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

  /** Their lease goes on for an hour: it is the worker's absence that ends it. */
  @Test
  void promptsOfACutConnectionDoNotWaitForTheirLease() throws Exception {
    Duration hour = Duration.ofHours(1);
    try (TestCoordinator coordinator =
        start(new LeaseConfig(hour, Duration.ofSeconds(2), Duration.ofSeconds(1), 5))) {
      coordinator.submit(prompts(4));
      ScriptedWorker lost = connect(coordinator, "lost");
      assertEquals(4, lost.lease().getTasksCount());
      ScriptedWorker other = connect(coordinator, "other");
      lost.cut();
      assertEquals(2, other.lease().getTasks(0).getAttempt());
    }
  }

  @Test
  void promptsOfAWorkerThatHangsGoToAnotherOneAfterTheirLease() throws Exception {
    try (TestCoordinator coordinator = start(TestCoordinator.QUICK_LEASES)) {
      coordinator.submit(prompts(4));
      ScriptedWorker hanging = connect(coordinator, "hanging");
      assertEquals(4, hanging.lease().getTasksCount());
      assertEquals(2, connect(coordinator, "other").lease().getTasks(0).getAttempt());
    }
  }
}
