package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.held;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.offsets;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Release;
import io.bitloom.v1.Task;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of the prompts of workers that are lost, late or confused. */
class LostWorkerIT extends DispatchFixture {

  @Test
  void aWorkerThatIsCutMidBatchCostsNothingButTime() throws Exception {
    Job job = coordinator.submit(prompts(40, "1:1", "3:2"));
    FakeWorker lost =
        coordinator.worker("lost", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMinutes(5)));
    awaitTrue("it works", () -> coordinator.job(job.getName()).getCounts().getRunning() > 0);
    lost.kill();
    coordinator.worker("next", FakeBehaviour.DEFAULT);
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(40, results.size());
    assertEquals(40, results.stream().map(PromptResult::getOffset).distinct().count());
    assertTrue(results.stream().allMatch(result -> result.hasImages()));
    assertTrue(results.stream().anyMatch(result -> result.getProvenance().getAttempt() == 2));
  }

  @Test
  void aWorkerThatHangsLosesItsLeasesAndItsLateOutcomesAreSuperseded() throws Exception {
    Job job = coordinator.submit(prompts(6));
    FakeWorker hanging =
        coordinator.worker("hanging", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(200)));
    hanging.stall();
    awaitTrue("it holds", () -> coordinator.job(job.getName()).getCounts().getRunning() == 6);
    coordinator.worker("next", FakeBehaviour.DEFAULT);
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(6, results.size());
    assertTrue(results.stream().allMatch(r -> r.getProvenance().getWorker().equals("next")));
    hanging.recover();
    awaitTrue(
        "it learns of its loss", () -> hanging.leasesLost() >= 1 || hanging.superseded() == 6);
    assertEquals(results, coordinator.results(job.getName()));
  }

  @Test
  void aWorkerThatComesBackInTimeKeepsItsLease() throws Exception {
    Job job = coordinator.submit(prompts(3));
    ScriptedWorker first = connect("w");
    Lease lease = first.lease();
    first.cut();
    ScriptedWorker second = connect("w", held(lease));
    assertEquals(List.of(), second.welcomed().getLostLeasesList());
    for (Task task : lease.getTasksList()) {
      assertEquals(COMMITTED, second.report(drawn(lease, task, "image")));
    }
    assertEquals(3, coordinator.results(job.getName()).size());
    assertEquals(0, coordinator.job(job.getName()).getCounts().getRetried());
  }

  @Test
  void aWorkerThatComesBackLateIsToldWhatItLost() throws Exception {
    coordinator.submit(prompts(3));
    ScriptedWorker first = connect("w");
    Lease lease = first.lease();
    first.cut();
    ScriptedWorker other = connect("other");
    Lease again = other.lease();
    assertEquals(2, again.getTasks(0).getAttempt());
    ScriptedWorker late = connect("w", held(lease));
    assertEquals(List.of(lease.getLeaseId()), late.welcomed().getLostLeasesList());
    assertEquals(SUPERSEDED, late.report(drawn(lease, lease.getTasks(0), "late")));
  }

  @Test
  void whatAReconnectedWorkerDoesNotNameGoesToOthersAtOnce() throws Exception {
    coordinator.submit(prompts(4));
    ScriptedWorker first = connect("w");
    assertEquals(4, first.lease().getTasksCount());
    connect("w");
    Lease again = connect("other").lease();
    assertEquals(4, again.getTasksCount());
    assertEquals(1, again.getTasks(0).getAttempt());
  }

  @Test
  void aStaleFencingTokenChangesNothing() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker first = connect("a");
    Lease stale = first.lease();
    // No heartbeat: the lease expires while the stream is open.
    ScriptedWorker second = connect("b");
    Lease valid = second.lease();
    assertNotEquals(stale.getFencingToken(), valid.getFencingToken());
    assertEquals(SUPERSEDED, first.report(drawn(stale, stale.getTasks(0), "stale")));
    Outcome forged =
        drawn(stale, stale.getTasks(0), "forged").toBuilder()
            .setFencingToken(valid.getFencingToken())
            .build();
    assertEquals(SUPERSEDED, first.report(forged));
    assertEquals(COMMITTED, second.report(drawn(valid, valid.getTasks(0), "winner")));
    assertEquals(SUPERSEDED, first.report(drawn(stale, stale.getTasks(0), "stale")));
    PromptResult result = coordinator.results(job.getName()).get(0);
    assertEquals("winner", result.getImages().getImages(0).getData().toStringUtf8());
    assertEquals("b", result.getProvenance().getWorker());
  }

  @Test
  void anOutcomeThatIsReportedTwiceCountsOnce() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "one")));
    assertEquals(SUPERSEDED, worker.report(drawn(lease, lease.getTasks(0), "two")));
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(1, results.size());
    assertEquals("one", results.get(0).getImages().getImages(0).getData().toStringUtf8());
  }

  @Test
  void releasedPromptsGoToOthersWithoutCountingAsAnAttempt() throws Exception {
    Job job = coordinator.submit(prompts(4));
    ScriptedWorker first = connect("a");
    Lease lease = first.lease();
    first.send(
        m ->
            m.setRelease(
                Release.newBuilder()
                    .setLeaseId(lease.getLeaseId())
                    .setFencingToken(lease.getFencingToken())
                    .setLeaseSecret(lease.getSecret())
                    .addTasks(lease.getTasks(1).getRef())
                    .addTasks(lease.getTasks(3).getRef())));
    Lease again = connect("b").lease();
    assertEquals(List.of(1L, 3L), offsets(again));
    assertEquals(1, again.getTasks(0).getAttempt());
    assertEquals(COMMITTED, first.report(drawn(lease, lease.getTasks(0), "x")));
    assertEquals(SUPERSEDED, first.report(drawn(lease, lease.getTasks(1), "x")));
    assertEquals(1, coordinator.job(job.getName()).getCounts().getSucceeded());
  }

  @Test
  void heartbeatsKeepALeaseAndUnknownOnesAreLost() throws Exception {
    coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    Job ofSilent = coordinator.submit(prompts(1));
    connect("silent").lease();
    awaitTrue(
        "a later lease has expired",
        () -> {
          worker.send(m -> m.setHeartbeat(Heartbeat.newBuilder().addLeases(held(lease))));
          return coordinator.job(ofSilent.getName()).getCounts().getRetried() == 1;
        });
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "in time")));
    worker.send(m -> m.setHeartbeat(Heartbeat.newBuilder().addLeases(held(lease))));
    assertEquals(lease.getLeaseId(), worker.next().getLeaseLost().getLeaseId());
  }

  @Test
  void aWorkerThatConnectsToAnotherCoordinatorKeepsItsLease() throws Exception {
    try (TestCoordinator other = coordinator.second()) {
      Job job = coordinator.submit(prompts(3));
      ScriptedWorker first = connect("w");
      Lease lease = first.lease();
      first.cut();
      ScriptedWorker second = new ScriptedWorker(other.channel()).welcome("w", held(lease));
      assertEquals(List.of(), second.welcomed().getLostLeasesList());
      // Longer than the grace that the first coordinator gave the lease.
      Thread.sleep(2 * TestCoordinator.QUICK_LEASES.reconnectGrace().toMillis());
      for (Task task : lease.getTasksList()) {
        assertEquals(COMMITTED, second.report(drawn(lease, task, "image")));
      }
      assertEquals(3, other.results(job.getName()).size());
      assertEquals(0, other.job(job.getName()).getCounts().getRetried());
    }
  }

  @Test
  void aWorkerWithTroublesGetsEveryPromptDoneOnce() throws Exception {
    Job job = coordinator.submit(prompts(200, "1:1", "3:2", "2:3", "16:9"));
    for (int i = 0; i < 3; i++) {
      coordinator.worker(
          "w-" + i,
          FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(20)).withTroubles(0.01, 0.03, i));
    }
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(200, results.size());
    assertEquals(200, results.stream().map(PromptResult::getOffset).distinct().count());
    Job done = coordinator.job(job.getName());
    assertEquals(
        200, done.getCounts().getSucceeded() + done.getCounts().getFailed(), done.toString());
    assertEquals(0, done.getCounts().getRunning());
  }
}
