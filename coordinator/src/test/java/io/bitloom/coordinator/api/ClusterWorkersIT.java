package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a coordinator tells of jobs counts the workers of all coordinators. */
class ClusterWorkersIT extends ApiFixture {

  private static final FakeBehaviour SLOW =
      FakeBehaviour.DEFAULT.withBatch(1, Duration.ofSeconds(20)).withPrefetch(1);

  private static int workersOf(String model) {
    return batch().listModels(ListModelsRequest.getDefaultInstance()).getModelsList().stream()
        .filter(known -> known.getName().equals(model))
        .findAny()
        .orElseThrow()
        .getWorkers();
  }

  @Test
  void workersOfAnotherCoordinatorCountAndAreGoneWhenTheyLeave() throws Exception {
    Job waiting = coordinator.submit(prompts(50, "1:1"));
    assertTrue(coordinator.job(waiting.getName()).getWaitsForWorker());
    try (TestCoordinator other = coordinator.second()) {
      FakeWorker first = other.worker("first", SLOW);
      FakeWorker second = other.worker("second", SLOW);
      FakeWorker here = coordinator.worker("here", SLOW);
      awaitTrue("all three are counted here", () -> workersOf("fake") == 3);
      assertTrue(!coordinator.job(waiting.getName()).getWaitsForWorker());
      here.close();
      first.close();
      awaitTrue("one is left", () -> workersOf("fake") == 1);
      second.close();
      awaitTrue("all have left", () -> workersOf("fake") == 0);
    }
    coordinator.cancel(waiting.getName());
  }

  @Test
  void aJobThatOnlyWorkersElsewhereCanDrawDoesNotWaitForAWorker() throws Exception {
    try (TestCoordinator other = coordinator.second()) {
      // They hold a batch of another job, so that nothing of this one is drawn yet.
      Job first = coordinator.submit(prompts(1, "3:2"));
      FakeWorker there = other.worker("there", SLOW);
      awaitTrue("it is busy", () -> coordinator.job(first.getName()).getCounts().getRunning() == 1);
      Job waiting = coordinator.submit(prompts(50, "2:3"));
      awaitTrue("told of here", () -> !coordinator.job(waiting.getName()).getWaitsForWorker());
      there.close();
      awaitTrue("nobody is left", () -> coordinator.job(waiting.getName()).getWaitsForWorker());
      coordinator.cancel(waiting.getName());
      coordinator.cancel(first.getName());
    }
  }
}
