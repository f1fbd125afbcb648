package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.v1.BucketStatus;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.JobState;
import io.bitloom.v1.WorkerLease;
import io.bitloom.v1.WorkerStatus;
import java.util.List;
import org.junit.jupiter.api.Test;

class TopScreenTest {

  private static final GetClusterResponse CLUSTER =
      GetClusterResponse.newBuilder()
          .addBuckets(
              BucketStatus.newBuilder()
                  .setModel("demo")
                  .setSchedule("1.0_0.25M")
                  .setPrompts(1500)
                  .setLeased(16))
          .addBuckets(BucketStatus.newBuilder().setModel("demo").setSchedule("2.0_0.25M"))
          .addWorkers(
              WorkerStatus.newBuilder()
                  .setId("gpu-1")
                  .setDevice("cpu, 2 threads")
                  .setConnected(true)
                  .setImagesDone(12345)
                  .addLeases(
                      WorkerLease.newBuilder()
                          .setSchedule("1.0_0.25M")
                          .setPrompts(16)
                          .setScale(3)
                          .setScales(10)))
          .build();

  private static Job job(String name) {
    return Job.newBuilder()
        .setName("jobs/1")
        .setDisplayName(name)
        .setState(JobState.JOB_STATE_RUNNING)
        .setQueuePosition(2)
        .setCounts(JobCounts.newBuilder().setAppended(2000).setSucceeded(400).setFailed(100))
        .build();
  }

  @Test
  void whyNothingGoesOnIsSaidAboveAll() {
    GetClusterResponse full = CLUSTER.toBuilder().setTrouble("no room for images").build();
    assertEquals(
        "nothing goes on: no room for images",
        new TopScreen(List.of(), full, 120).lines().get(1).strip());
  }

  @Test
  void jobsWorkersAndWhatWaitsAreShown() {
    String screen = String.join("\n", new TopScreen(List.of(job("Foxes")), CLUSTER, 120).lines());
    for (String part :
        List.of(
            "1 worker, 1,500 waiting, 16 being drawn",
            "Foxes",
            "running",
            "███░",
            "400/2,000",
            "after 2 jobs",
            "gpu-1",
            "12,345",
            "16 prompts  3/10")) {
      assertTrue(screen.contains(part), part + " is not in\n" + screen);
    }
    assertTrue(screen.contains("1:1 0.25M"), screen);
    assertFalse(screen.contains("1:2 0.25M"), "a bucket without prompts");
  }

  @Test
  void aJobWithoutAWorkerIsNotSaidToRun() {
    Job stranded = job("Foxes").toBuilder().setWaitsForWorker(true).build();
    String screen = String.join("\n", new TopScreen(List.of(stranded), CLUSTER, 120).lines());
    assertTrue(screen.contains("no worker"), screen);
    assertFalse(screen.contains("running"), screen);
  }

  @Test
  void numbersAreShownOnANarrowTerminalToo() {
    String name = "four hundred pictures of nothing at all";
    String screen = String.join("\n", new TopScreen(List.of(job(name)), CLUSTER, 66).lines());
    for (String part :
        List.of("four hundre…  running", "400/2,000", "100", "12,345", "16 prompts")) {
      assertTrue(screen.contains(part), part + " is not in\n" + screen);
    }
  }

  @Test
  void nothingOthersWroteCanReachTheTerminalAsAControlCode() {
    List<String> lines = new TopScreen(List.of(job("\u001b[2Jevil\n")), CLUSTER, 60).lines();
    assertTrue(lines.stream().noneMatch(line -> line.contains("\u001b") || line.contains("\n")));
    assertTrue(lines.stream().allMatch(line -> line.codePointCount(0, line.length()) <= 60));
  }

  @Test
  void anEmptyClusterIsShownToo() {
    List<String> lines =
        new TopScreen(List.of(), GetClusterResponse.getDefaultInstance(), 80).lines();
    assertEquals("Bitloom  0 workers, 0 waiting, 0 being drawn", lines.get(0));
    assertTrue(lines.contains("no open jobs") && lines.contains("no worker"), lines.toString());
  }

  @Test
  void workersWithoutANameAreNumbered() {
    WorkerStatus unnamed = CLUSTER.getWorkers(0).toBuilder().clearId().clearDevice().build();
    GetClusterResponse cluster =
        CLUSTER.toBuilder().clearWorkers().addWorkers(unnamed).addWorkers(unnamed).build();
    String screen = String.join("\n", new TopScreen(List.of(), cluster, 80).lines());
    assertTrue(screen.contains("\nworker 1 ") && screen.contains("\nworker 2 "), screen);
  }
}
