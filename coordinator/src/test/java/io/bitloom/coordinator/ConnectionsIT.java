package io.bitloom.coordinator;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.ConnectionsConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.v1.ListJobsRequest;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much of a coordinator connections can take. */
class ConnectionsIT {

  private static final int MOST = 5;
  private static final int CALLS = 321;
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofMillis(600);
  private static final String GET =
      "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

  /** HTTP/2's preface and an empty frame of settings. */
  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

  private static final int SETTINGS = 4;
  private static final int MAX_CONCURRENT_STREAMS = 3;

  @TempDir Path directory;
  private TestCoordinator coordinator;

  private void start(Duration idleTimeout) throws IOException {
    coordinator =
        TestCoordinator.start(
            directory,
            new ListenConfig(
                "127.0.0.1",
                0,
                0,
                Optional.empty(),
                AccessConfig.LOOPBACK,
                List.of(),
                List.of(),
                new ConnectionsConfig(MOST, CALLS, idleTimeout, Optional.empty())));
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  @Test
  void aConnectionOnWhichNothingIsSaidIsClosed() throws IOException {
    start(SHORT);
    for (String said : List.of("", "GET /health/live HTTP/1.1\r\nHost: 127.")) {
      try (RawConnection http = new RawConnection(coordinator.httpPort())) {
        assertNull(http.say(said).line(), "HTTP");
      }
    }
    for (String said : List.of("", PREFACE)) {
      try (RawConnection grpc = new RawConnection(coordinator.grpcPort())) {
        grpc.say(said).rest();
      }
    }
  }

  @Test
  void whoFollowsEventsIsNotIdle() throws IOException {
    start(SHORT);
    try (RawConnection viewer = new RawConnection(coordinator.httpPort())) {
      viewer.say("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      int signsOfLife = 0;
      while (signsOfLife < 10) {
        String line = viewer.line();
        assertTrue(line != null, "closed after " + signsOfLife);
        signsOfLife += line.startsWith(":") ? 1 : 0;
      }
    }
  }

  @Test
  void moreConnectionsThanAllowedAreClosedAndOthersWorkOn() throws Exception {
    start(LONG);
    List<ToIntFunction<TestCoordinator>> ports =
        List.of(TestCoordinator::httpPort, TestCoordinator::grpcPort);
    for (ToIntFunction<TestCoordinator> port : ports) {
      List<RawConnection> open = new ArrayList<>();
      for (int i = 0; i < MOST; i++) {
        open.add(new RawConnection(port.applyAsInt(coordinator)));
      }
      try (RawConnection more = new RawConnection(port.applyAsInt(coordinator))) {
        assertEquals("", more.rest());
      }
      for (RawConnection connection : open) {
        connection.close();
      }
    }
    awaitTrue("free again", () -> answers(coordinator.httpPort()));
    assertEquals(
        0, coordinator.batch().listJobs(ListJobsRequest.getDefaultInstance()).getJobsCount());
  }

  private static boolean answers(int port) {
    try (RawConnection connection = new RawConnection(port)) {
      return "HTTP/1.1 200 OK".equals(connection.say(GET).line());
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void aConnectionHasALimitOfCalls() throws IOException {
    start(LONG);
    try (RawConnection grpc = new RawConnection(coordinator.grpcPort())) {
      DataInputStream in = new DataInputStream(grpc.say(PREFACE).in());
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      assertEquals(SETTINGS, in.readUnsignedByte());
      in.skipNBytes(5);
      Optional<Long> streams = Optional.empty();
      for (int read = 0; read < length; read += 6) {
        int setting = in.readUnsignedShort();
        long value = in.readInt() & 0xffff_ffffL;
        streams = setting == MAX_CONCURRENT_STREAMS ? Optional.of(value) : streams;
      }
      assertEquals(Optional.of((long) CALLS), streams);
    }
  }

  @Test
  void aBodyThatNobodyAskedForIsNotRead() throws IOException {
    start(LONG);
    try (RawConnection http = new RawConnection(coordinator.httpPort())) {
      http.say(
          "POST /api/v1/jobs/x/cancel HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Bitloom: test\r\n"
              + "Content-Length: 1000000000\r\n\r\n");
      String answer = http.rest();
      assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
    }
  }
}
