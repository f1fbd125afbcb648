package io.bitloom.coordinator.results;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that cannot be stored wait with their workers, and the coordinator says why. */
class NoRoomIT {

  @TempDir private Path directory;

  @Test
  void imagesWaitUntilThereIsAPlaceForThem() throws Exception {
    try (TestCoordinator coordinator = TestCoordinator.start(directory)) {
      Path results = directory.resolve("results");
      Files.delete(results);
      Files.writeString(results, "in the way");
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      Job job = coordinator.submit(prompts(4));

      awaitTrue("said", () -> trouble(coordinator).startsWith("cannot store "));
      awaitTrue("not ready", () -> coordinator.ready() == 503);

      Files.delete(results);
      assertEquals(4, coordinator.results(job.getName()).size());
      assertEquals(4, coordinator.job(job.getName()).getCounts().getSucceeded());
      assertEquals("", trouble(coordinator));
    }
  }

  private static String trouble(TestCoordinator coordinator) {
    return ClusterServiceGrpc.newBlockingStub(coordinator.channel())
        .getCluster(GetClusterRequest.getDefaultInstance())
        .getTrouble();
  }
}
