package io.bitloom.worker.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.bitloom.common.net.ServerAddress;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class TrainingMeetingTest {

  private final ListAppender<ILoggingEvent> said = new ListAppender<>();
  private final Logger log = (Logger) LoggerFactory.getLogger(TrainingMeeting.class);

  @BeforeEach
  void listen() {
    said.start();
    log.addAppender(said);
  }

  @AfterEach
  void listenNoMore() {
    log.detachAppender(said);
  }

  @ParameterizedTest
  @ValueSource(strings = {"no-such-host.invalid:7700", "127.0.0.1:1", "[::1]:1"})
  void aCoordinatorThatIsNotThereIsSaidWhileItIsWaitedFor(String address) {
    for (int rank = 0; rank < 2; rank++) {
      said.list.clear();
      TrainingMeeting meeting = new TrainingMeeting(address(address), CoordinatorAccess.OPEN);
      int number = rank;

      IOException e =
          assertThrows(
              IOException.class, () -> meeting.find("us", number, 2, Duration.ofMillis(100)));

      assertEquals("the processes of group us did not meet at " + address + " in time", message(e));
      assertTrue(
          said.list.get(0).getFormattedMessage().startsWith("No coordinator at " + address),
          said.list.toString());
    }
  }

  @Test
  void aUnixSocketIsNoPlaceToLearnOnesAddress() {
    TrainingMeeting meeting = new TrainingMeeting(address("unix:/x"), CoordinatorAccess.OPEN);

    IOException e =
        assertThrows(IOException.class, () -> meeting.find("us", 0, 2, Duration.ofMillis(100)));

    assertTrue(message(e).contains("unix:/x"), message(e));
  }

  @Test
  void failuresInARowAreSaidEverMoreRarely() {
    FailuresInARow failures = new FailuresInARow();
    int toBeSaid = 0;
    for (int i = 0; i < 1000; i++) {
      toBeSaid += failures.isToBeSaid() ? 1 : 0;
    }
    assertEquals(10, toBeSaid);
    failures.over();
    assertTrue(failures.isToBeSaid());
  }

  @Test
  void aStatusIsSaidInWords() {
    Status pages = Status.UNAVAILABLE.withDescription("http2 exception");
    assertTrue(FailuresInARow.why(pages).contains("gRPC port"), FailuresInARow.why(pages));
    Status away = Status.UNAVAILABLE.withDescription("io exception");
    assertEquals(
        "Connection refused: /127.0.0.1:1",
        FailuresInARow.why(away.withCause(new IOException("Connection refused: /127.0.0.1:1"))));
    assertEquals("deadline exceeded", FailuresInARow.why(Status.DEADLINE_EXCEEDED));
  }

  private static ServerAddress address(String text) {
    return ServerAddress.coordinator("coordinator", text);
  }

  private static String message(Exception e) {
    return e.getMessage();
  }
}
