package io.bitloom.worker.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.ChildJvm;
import io.bitloom.v1.ConnectRequest.MessageCase;
import io.bitloom.v1.Release;
import io.bitloom.worker.WorkerJvm;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The worker as a process. */
@Timeout(600)
class WorkerProcessIT {

  @Test
  void onSigtermItHandsBackWhatWaitsFinishesWhatRunsAndExitsWithZero() throws Exception {
    try (CoordinatorPeer peer = CoordinatorPeer.start();
        ChildJvm worker =
            WorkerJvm.start(
                "worker", "--coordinator", peer.address(), "--model=untrained", "--pool=gpu")) {
      CoordinatorPeer.Session stream = peer.nextSession();
      assertEquals("gpu", stream.welcome().getPool());
      stream.lease(Leases.longLease("running"));
      stream.next(MessageCase.PROGRESS);
      stream.lease(Leases.lease("waiting", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
      stream.awaitRenewed("running", "waiting");
      worker.terminate();

      Release release = stream.next(MessageCase.RELEASE).getRelease();
      assertEquals("waiting", release.getLeaseId());
      CoordinatorPeer.Reported outcome = stream.nextOutcome();
      assertEquals("running", outcome.leaseId());
      assertEquals(2, outcome.outcome().getImages().getImagesCount());
      stream.acknowledge(outcome);
      assertEquals(0, worker.awaitExit());
    }
  }

  @Test
  void itGivesUpAfterTheGraceWhenNobodyTakesItsResults() throws Exception {
    try (CoordinatorPeer peer = CoordinatorPeer.start();
        ChildJvm worker =
            WorkerJvm.start(
                "worker", "--coordinator", peer.address(), "--shutdown-grace", "500ms")) {
      CoordinatorPeer.Session stream = peer.nextSession();
      stream.welcome();
      stream.lease(Leases.lease("a", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
      stream.nextOutcome();
      worker.terminate();
      assertEquals(1, worker.awaitExit());
    }
  }

  @Test
  void itTellsItsHealthWaitsForACoordinatorAndEndsWithItsParent() throws Exception {
    int port = freePort();
    try (ChildJvm worker =
        WorkerJvm.start(
            "worker",
            "--coordinator=127.0.0.1:" + port,
            "--http-port=0",
            "--exit-on-stdin-close")) {
      String line = worker.awaitLine("http://127.0.0.1:");
      URI health = URI.create(line.substring(line.indexOf("http://")));
      assertEquals(200, get(health.resolve("/health/live")).statusCode());
      assertEquals(503, get(health.resolve("/health/ready")).statusCode());
      worker.awaitLine("no coordinator at 127.0.0.1:" + port);

      try (CoordinatorPeer peer = CoordinatorPeer.start(port)) {
        peer.nextSession().welcome();
        worker.awaitLine("ready: ");
        assertEquals(200, get(health.resolve("/health/ready")).statusCode());
        String metrics = get(health.resolve("/metrics")).body();
        assertTrue(metrics.contains("bitloom_worker_connected 1.0"), metrics);
        assertTrue(
            metrics.contains("bitloom_worker_stage_seconds_count{stage=\"decode\"} 1"), metrics);
        worker.closeInput();
        assertEquals(0, worker.awaitExit());
      }
    }
  }

  @Test
  void wrongUsageExitsWithTwo() throws Exception {
    try (ChildJvm worker = WorkerJvm.start("worker", "--shutdown-grace", "soon")) {
      worker.awaitLine("--shutdown-grace must be a duration");
      assertEquals(2, worker.awaitExit());
    }
    try (ChildJvm worker = WorkerJvm.start("worker", "--model", "no-such-folder")) {
      worker.awaitLine(
          "\"no-such-folder\" is neither a built-in model (demo, untrained) nor a folder");
      assertEquals(2, worker.awaitExit());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ftp://host, --coordinator must begin with http://",
    "'a:1,,b:2', --coordinator must be an address such as",
    "'https://a:1,b:2', coordinators must have https:// all or none",
    "'my_host:7700', without the _",
  })
  void anAddressThatIsNoneExitsWithTwo(String address, String complaint) throws Exception {
    try (ChildJvm worker = WorkerJvm.start("worker", "--coordinator", address)) {
      worker.awaitLine(complaint);
      assertEquals(2, worker.awaitExit());
    }
  }

  @Test
  void aCoordinatorThatCannotBeResolvedIsSaidAgainAndAgain() throws Exception {
    try (ChildJvm worker =
        WorkerJvm.start(
            "worker", "--coordinator=http://no-such-host.invalid:7700", "--model=untrained")) {
      for (int i = 0; i < 3; i++) {
        String line = worker.awaitLine("no coordinator at no-such-host.invalid:7700");
        assertTrue(line.contains("Unable to resolve host"), line);
      }
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(uri).build();
    return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
  }
}
