package io.bitloom.coordinator.dispatch.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.ConnectionsConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.WorkerStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Connections that are old, and where their workers go. */
class HandOverIT {

  @TempDir Path directory;
  private TestCoordinator first;

  @BeforeEach
  void start() throws Exception {
    first = TestCoordinator.start(directory, connectionsOf(Optional.of(Duration.ofSeconds(1))));
    first.announce("fake", "0.06M");
  }

  @AfterEach
  void stop() {
    first.close();
  }

  private static ListenConfig connectionsOf(Optional<Duration> age) {
    ConnectionsConfig usual = ConnectionsConfig.DEFAULTS;
    return new ListenConfig(
        "127.0.0.1",
        0,
        0,
        Optional.empty(),
        AccessConfig.LOOPBACK,
        List.of(),
        List.of(),
        new ConnectionsConfig(usual.most(), usual.calls(), usual.idleTimeout(), age));
  }

  @Test
  void aWorkerIsSentOnWhenItsConnectionIsOldAndMayComeBack() throws Exception {
    ScriptedWorker worker = new ScriptedWorker(first.channel()).welcome("w");
    ConnectResponse message = worker.next();
    assertTrue(message.hasDrain(), message.toString());
    assertTrue(message.getDrain().getReason().contains("connect anew"), message.toString());
    worker.complete();
    new ScriptedWorker(first.channel()).welcome("w");
  }

  @Test
  void workersGoOverToACoordinatorThatCameLaterAndNoPromptIsDrawnTwice() throws Exception {
    List<FakeWorker> workers = new ArrayList<>();
    try (TestCoordinator second = first.second(connectionsOf(Optional.empty()))) {
      for (int i = 0; i < 3; i++) {
        workers.add(
            FakeWorker.start(
                List.of(first.target(), second.target()),
                Optional.empty(),
                "w" + i,
                FakeBehaviour.DEFAULT.withBatch(4, Duration.ofMillis(50)),
                (lease, tasks, waitNanos) -> {}));
      }
      String job = second.submit(TestCoordinator.prompts(400)).getName();
      assertEquals(400, second.results(job).size());
      TestCoordinator.awaitTrue("all are at the second", () -> connected(second) == 3);
      workers.forEach(worker -> assertEquals(2, worker.welcomes(), worker.toString()));
      JobCounts counts = second.job(job).getCounts();
      assertEquals(400, counts.getSucceeded());
      assertEquals(0, counts.getRetried());
    } finally {
      workers.forEach(FakeWorker::close);
    }
  }

  private static long connected(TestCoordinator coordinator) {
    return ClusterServiceGrpc.newBlockingStub(coordinator.calls())
        .withDeadlineAfter(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .getCluster(GetClusterRequest.getDefaultInstance())
        .getWorkersList()
        .stream()
        .filter(WorkerStatus::getConnected)
        .count();
  }
}
