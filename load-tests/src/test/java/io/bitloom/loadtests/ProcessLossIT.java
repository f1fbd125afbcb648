package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessLossIT {

  private static final int PROMPTS = 36;
  private static final int BEFORE_THE_LOSS = 5;

  @TempDir static Path folder;
  private static TestCluster cluster;

  @BeforeAll
  static void start() throws IOException {
    cluster = TestCluster.start(folder);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void aKilledWorkerLosesNothingOnceThereIsANewOne() throws Exception {
    Job job = cluster.submit(PROMPTS);
    cluster.awaitMiddle(job, BEFORE_THE_LOSS);

    cluster.worker().signal("KILL");
    cluster.startWorker();

    cluster.exactlyOneResultForEachPrompt(job, PROMPTS);
    succeededWhole(job);
  }

  @Test
  void aKilledCoordinatorLosesNothingOnceItIsBack() throws Exception {
    Job job = cluster.submit(PROMPTS);
    cluster.awaitMiddle(job, BEFORE_THE_LOSS);

    cluster.coordinator().signal("KILL");
    cluster.coordinator().exitCode();
    cluster.startCoordinator();

    cluster.exactlyOneResultForEachPrompt(job, PROMPTS);
    succeededWhole(job);
  }

  @Test
  void aWorkerThatIsToldToStopEndsWithZeroAndHandsBackItsPrompts() throws Exception {
    Job job = cluster.submit(PROMPTS);
    cluster.awaitMiddle(job, BEFORE_THE_LOSS);

    BitloomProcess worker = cluster.worker();
    worker.signal("TERM");
    assertEquals(0, worker.exitCode(), worker::said);
    cluster.startWorker();

    cluster.exactlyOneResultForEachPrompt(job, PROMPTS);
    succeededWhole(job);
    assertEquals(0, cluster.client().getJob(job.getName()).getCounts().getRetried());
  }

  private static void succeededWhole(Job job) {
    Job ended = cluster.client().getJob(job.getName());
    assertEquals(JobState.JOB_STATE_SUCCEEDED, ended.getState());
    assertEquals(PROMPTS, ended.getCounts().getSucceeded());
    assertEquals(0, ended.getCounts().getRunning());
    assertEquals(0, ended.getCounts().getQueued());
  }
}
