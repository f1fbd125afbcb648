package io.bitloom.client.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BitloomClientIT {

  private UnsteadyCoordinator coordinator;
  private BitloomClient client;

  @BeforeEach
  void start() throws IOException {
    coordinator = new UnsteadyCoordinator();
    client = BitloomClient.builder("127.0.0.1:" + coordinator.port()).build();
  }

  @AfterEach
  void stop() throws InterruptedException {
    client.close();
    coordinator.close();
  }

  @Test
  void everyPromptIsAppendedOnceAndInOrder() {
    List<Long> acknowledged = new ArrayList<>();

    long end = client.append("jobs/1", 0, prompts(100_000), acknowledged::add);

    assertEquals(100_000, end);
    assertEquals(ids(0, 100_000), idsOf(coordinator.prompts));
    assertEquals(List.of(32_768L, 65_536L, 98_304L, 100_000L), acknowledged);
  }

  @Test
  void appendingGoesOnWhereTheCoordinatorStandsAfterABrokenStream() {
    coordinator.messagesUntilHangUp = 7;

    client.append("jobs/1", 0, prompts(10_000), acknowledged -> {});

    assertEquals(2, coordinator.appendCalls);
    assertEquals(ids(0, 10_000), idsOf(coordinator.prompts));
  }

  @Test
  void aMessageThatTheCoordinatorHasInPartIsSentAgain() {
    prompts(700).forEachRemaining(coordinator.prompts::add);

    Iterator<Prompt> all = prompts(2_000);
    client.append("jobs/1", 0, all, acknowledged -> {});

    assertEquals(ids(0, 2_000), idsOf(coordinator.prompts));
  }

  @Test
  void largePromptsAreSplitIntoMessagesThatFit() {
    String text = "x".repeat(300_000);
    Iterator<Prompt> large =
        IntStream.range(0, 40)
            .mapToObj(i -> Prompt.newBuilder().setCustomId("id-" + i).setPrompt(text).build())
            .iterator();

    client.append("jobs/1", 0, large, acknowledged -> {});

    assertEquals(ids(0, 40), idsOf(coordinator.prompts));
  }

  @Test
  void resultsGoOnAfterTheLastOneThatWasTaken() {
    coordinator.results = 20;
    coordinator.messagesUntilHangUp = 7;

    List<Long> offsets = new ArrayList<>();
    try (ResumingStream<ReadResultsResponse> results = client.followResults("jobs/1", "1")) {
      results.forEachRemaining(r -> offsets.add(r.getResult().getOffset()));
    }

    assertEquals(LongStream.range(2, 20).boxed().toList(), offsets);
    assertEquals(2, coordinator.readCalls);
  }

  @Test
  void aCallWaitsForACoordinatorThatIsStartedAgain() throws Exception {
    client.listModels();
    int port = coordinator.port();
    coordinator.stop();

    CompletableFuture<Object> call = CompletableFuture.supplyAsync(() -> client.getJob("jobs/1"));
    assertThrows(Exception.class, () -> call.get(500, TimeUnit.MILLISECONDS));
    coordinator.start(port);

    call.get(3, TimeUnit.MINUTES);
  }

  @Test
  void aCoordinatorThatWasNeverThereIsReportedSoon() throws IOException {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    try (BitloomClient lost =
        BitloomClient.builder("127.0.0.1:" + free).firstContact(Duration.ofMillis(300)).build()) {
      BitloomException e = assertThrows(BitloomException.class, lost::listModels);

      assertEquals(ErrorCode.COORDINATOR_UNAVAILABLE, e.code());
    }
  }

  @Test
  void anErrorCarriesItsCodeFieldAndValue() {
    BitloomException e = assertThrows(BitloomException.class, () -> client.getJob("jobs/2"));

    assertEquals(ErrorCode.JOB_NOT_FOUND, e.code());
    assertEquals("name", e.violations().get(0).field());
    assertEquals("jobs/2", e.violations().get(0).value());
  }

  @Test
  void aClosedStreamEnds() {
    coordinator.results = 5;
    try (ResumingStream<ReadResultsResponse> results = client.followResults("jobs/1", "")) {
      assertTrue(results.hasNext());
      results.next();
      results.close();
      assertEquals(false, results.hasNext());
    }
  }

  private static Iterator<Prompt> prompts(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> Prompt.newBuilder().setCustomId("id-" + i).setPrompt("a cat").build())
        .iterator();
  }

  private static List<String> ids(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "id-" + i).toList();
  }

  private static List<String> idsOf(List<Prompt> prompts) {
    return prompts.stream().map(Prompt::getCustomId).toList();
  }
}
