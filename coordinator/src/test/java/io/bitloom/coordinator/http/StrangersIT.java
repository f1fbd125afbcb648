package io.bitloom.coordinator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.RawConnection;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.ConnectionsConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What pages of others can do at the HTTP port: nothing. */
class StrangersIT {

  @TempDir static Path directory;
  private static TestCoordinator coordinator;
  private static Job job;

  @BeforeAll
  static void start() throws Exception {
    coordinator =
        TestCoordinator.start(
            directory,
            new ListenConfig(
                "127.0.0.1",
                0,
                0,
                Optional.empty(),
                AccessConfig.LOOPBACK,
                List.of("bitloom.example"),
                List.of(),
                ConnectionsConfig.DEFAULTS));
    coordinator.worker("w", FakeBehaviour.DEFAULT);
    job = coordinator.newJob();
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  /** The answer's first line and all else; PORT stands for the port. */
  private static String answer(String first, String... headers) throws IOException {
    String request = first + " HTTP/1.1\r\n" + String.join("\r\n", headers) + "\r\n";
    try (RawConnection connection = new RawConnection(coordinator.httpPort())) {
      connection.say(
          (request + "Connection: close\r\n\r\n")
              .replace("PORT", Integer.toString(coordinator.httpPort())));
      String status = connection.line();
      boolean goesOn = first.contains("events") && status.endsWith(" 200 OK");
      return goesOn ? status : status + "\n" + connection.rest();
    }
  }

  private static String statusOf(String answer) {
    return answer.split(" ")[1];
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /api/v1/jobs",
        "GET /api/v1/events",
        "GET /api/v1/training",
        "GET /jobs",
        "GET /metrics",
        "GET /health/ready",
        "POST /api/v1/JOB/cancel"
      })
  void aPageWhoseNameWasLedHereReadsAndChangesNothing(String request) throws IOException {
    for (String host :
        List.of("evil.example:PORT", "evil.example", "127.0.0.1.evil.example", "localhost.evil")) {
      String answer =
          answer(
              request.replace("JOB", job.getName()),
              "Host: " + host,
              "Origin: http://" + host,
              "X-Bitloom: page");
      assertEquals("403", statusOf(answer), host);
      assertTrue(answer.contains("--allowed-hosts"), answer);
    }
    assertEquals(JobState.JOB_STATE_ACCEPTING, coordinator.job(job.getName()).getState());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://evil.example",
        "https://127.0.0.1.evil.example",
        "http://127.0.0.1:1",
        "http://localhost:PORT",
        "http://localhost",
        "null",
        "x"
      })
  void aPageOfAnotherSiteOfThisOrAnyMachineChangesAndFollowsNothing(String origin)
      throws IOException {
    for (String request :
        List.of("POST /api/v1/" + job.getName() + "/cancel", "GET /api/v1/events")) {
      String answer =
          answer(request, "Host: 127.0.0.1:PORT", "Origin: " + origin, "X-Bitloom: page");
      assertEquals("403", statusOf(answer), request);
    }
    assertEquals(JobState.JOB_STATE_ACCEPTING, coordinator.job(job.getName()).getState());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1:PORT",
        "127.0.0.1",
        "localhost:PORT",
        "LOCALHOST:9999",
        "[::1]:PORT",
        "10.9.8.7:30701",
        "bitloom.example",
        "Bitloom.Example:443"
      })
  void itIsKnownByAddressesByLocalhostAndByTheNamesThatItWasGiven(String host) throws IOException {
    for (String path : List.of("/metrics", "/health/ready", "/api/v1/jobs", "/api/v1/events")) {
      assertEquals("200", statusOf(answer("GET " + path, "Host: " + host)), path);
    }
    Job own = coordinator.newJob();
    String cancel = "POST /api/v1/" + own.getName() + "/cancel";
    String scheme = host.endsWith("443") ? "https" : "http";
    String page = "Origin: " + scheme + "://" + host;
    assertEquals("200", statusOf(answer(cancel, "Host: " + host, page, "X-Bitloom: page")));
    assertEquals(JobState.JOB_STATE_CANCELLED, coordinator.job(own.getName()).getState());
  }

  @Test
  void aProxyMayCallItByAnAddressForPagesOfAGivenName() throws IOException {
    Job own = coordinator.newJob();
    String cancel = "POST /api/v1/" + own.getName() + "/cancel";
    String page = "Origin: https://bitloom.example";
    assertEquals("200", statusOf(answer(cancel, "Host: 127.0.0.1:PORT", page, "X-Bitloom: page")));
  }

  @Test
  void aRequestHasToSayWhomItMeans() throws IOException {
    for (String host : List.of("X: y", "Host: ", "Host: a b", "Host: user@127.0.0.1:PORT")) {
      String status = statusOf(answer("GET /api/v1/jobs", host));
      assertTrue(status.equals("403") || status.equals("400"), host + ": " + status);
    }
  }
}
