package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.PauseJobRequest;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Jobs that nobody can draw say so. */
class StrandedJobIT extends ApiFixture {

  private static final FakeBehaviour SLOW =
      FakeBehaviour.DEFAULT.withBatch(1, Duration.ofSeconds(20)).withPrefetch(1);

  private static boolean stranded(Job job) {
    return coordinator.job(job.getName()).getWaitsForWorker();
  }

  @Test
  void aJobWaitsForAWorkerThatCanDrawItsPrompts() throws Exception {
    Job job = coordinator.submit(prompts(5)); // of size 0.06M
    assertTrue(stranded(job));
    assertEquals(JobState.JOB_STATE_QUEUED, coordinator.job(job.getName()).getState());
    try (FakeWorker other =
        FakeWorker.start(
            coordinator.target(), "large", FakeBehaviour.DEFAULT.withModel("fake", "0.25M"))) {
      awaitTrue("worker is welcome", () -> other.welcomes() > 0);
      assertTrue(stranded(job), "a worker of another size is of no use");
    }
    FakeWorker worker = FakeWorker.start(coordinator.target(), "slow", SLOW);
    awaitTrue("the job runs", () -> !stranded(job));
    awaitTrue(
        "a prompt is drawn", () -> coordinator.job(job.getName()).getCounts().getRunning() > 0);
    worker.kill();
    awaitTrue("the job is stranded again", () -> stranded(job));
    assertEquals(JobState.JOB_STATE_RUNNING, coordinator.job(job.getName()).getState());

    batch().pauseJob(PauseJobRequest.newBuilder().setName(job.getName()).build());
    assertFalse(stranded(job), "a paused job waits for its owner");
    assertFalse(coordinator.cancel(job.getName()).getWaitsForWorker());
    assertFalse(stranded(job));
  }
}
