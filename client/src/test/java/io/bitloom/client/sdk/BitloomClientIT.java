package io.bitloom.client.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.WatchJobResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
  void streamsThatWereResetGoOnAfterTheLastMessage() throws Exception {
    coordinator.results = 3;
    coordinator.jobGoesOn = true;
    List<Long> offsets = new ArrayList<>();
    List<Long> counts = new ArrayList<>();
    try (ResumingStream<ReadResultsResponse> results = client.followResults("jobs/1", "");
        ResumingStream<WatchJobResponse> events = client.watch("jobs/1")) {
      for (int i = 0; i < 3; i++) {
        offsets.add(results.next().getResult().getOffset());
      }
      counts.add(events.next().getJob().getCounts().getSucceeded());

      restart();

      results.forEachRemaining(r -> offsets.add(r.getResult().getOffset()));
      events.forEachRemaining(e -> counts.add(e.getJob().getCounts().getSucceeded()));
    }
    assertEquals(LongStream.range(0, 5).boxed().toList(), offsets);
    assertEquals(List.of(3L, 5L), counts);
    assertEquals(Optional.empty(), client.outage());
  }

  @Test
  void appendingThatWasResetGoesOn() throws Exception {
    client.listModels();
    coordinator.jobGoesOn = true;
    CompletableFuture<Long> end =
        CompletableFuture.supplyAsync(
            () -> client.append("jobs/1", 0, prompts(10_000), acknowledged -> {}));
    coordinator.firstPrompts.get(1, TimeUnit.MINUTES);

    restart();

    assertEquals(10_000, end.get(3, TimeUnit.MINUTES));
    assertEquals(ids(0, 10_000), idsOf(coordinator.prompts));
  }

  @Test
  void anEstimateThatWasResetIsMadeAgain() throws Exception {
    client.listModels();
    coordinator.jobGoesOn = true;
    CompletableFuture<Long> estimate =
        CompletableFuture.supplyAsync(
            () -> client.estimate(Job.getDefaultInstance(), this::thousand).getPrompts());
    coordinator.firstPrompts.get(1, TimeUnit.MINUTES);

    restart();

    assertEquals(1000, estimate.get(3, TimeUnit.MINUTES));
  }

  private Stream<Prompt> thousand() {
    return Stream.generate(Prompt::getDefaultInstance).limit(1000);
  }

  /** The job ends while nobody is there. */
  private void restart() throws Exception {
    int port = coordinator.port();
    coordinator.stop();
    coordinator.results = 5;
    coordinator.endJob();
    coordinator.start(port);
  }

  @Test
  void aStreamWhoseConnectionWasSentAwayGoesOn() throws Exception {
    int port = coordinator.port();
    coordinator.stop();
    coordinator.results = 3;
    coordinator.jobGoesOn = true;
    coordinator.startWithShortConnections(port);
    try (ResumingStream<ReadResultsResponse> results = client.followResults("jobs/1", "")) {
      results.next();
      coordinator.endJob();
      List<Long> offsets = new ArrayList<>();
      results.forEachRemaining(r -> offsets.add(r.getResult().getOffset()));

      assertEquals(List.of(1L, 2L), offsets);
      assertEquals(2, coordinator.readCalls);
    }
  }

  @Test
  void whatACallWaitsForIsKnown() throws Exception {
    client.listModels();
    int port = coordinator.port();
    coordinator.stop();
    CompletableFuture<Object> call = CompletableFuture.supplyAsync(() -> client.getJob("jobs/1"));
    while (client.outage().isEmpty()) {
      Thread.onSpinWait();
    }
    assertEquals(ErrorCode.COORDINATOR_UNAVAILABLE, client.outage().get().code());

    coordinator.start(port);

    call.get(3, TimeUnit.MINUTES);
    assertEquals(Optional.empty(), client.outage());
  }

  @Test
  void aCallThatIsNotRepeatedSaysThatTheCoordinatorIsGone() throws Exception {
    client.listModels();
    coordinator.stop();
    try (ResumingStream<GenerateResponse> drawn =
        client.generate(GenerateRequest.getDefaultInstance())) {
      BitloomException e = assertThrows(BitloomException.class, drawn::hasNext);

      assertEquals(ErrorCode.COORDINATOR_UNAVAILABLE, e.code());
      assertTrue(e.getMessage().startsWith("no coordinator answers any more"), e.getMessage());
    }
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

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost:PORT",
        "http://localhost:PORT/",
        "dns:///localhost:PORT",
        "dns:127.0.0.1:PORT"
      })
  void theCoordinatorIsReachedHoweverItsAddressIsWritten(String address) {
    String there = address.replace("PORT", Integer.toString(coordinator.port()));
    try (BitloomClient other = BitloomClient.builder(there).build()) {
      assertEquals(List.of(), other.listModels());
    }
  }

  @Test
  void theCoordinatorIsReachedByIpv6() {
    assumeTrue(hasIpv6Loopback(), "this machine has no IPv6");
    try (BitloomClient other = BitloomClient.builder("[::1]:" + coordinator.port()).build()) {
      assertEquals(List.of(), other.listModels());
    }
  }

  @Test
  void theCoordinatorIsReachedThroughAUnixSocket(@TempDir Path folder) throws Exception {
    Path socket = folder.resolve("coordinator.sock");
    try (UnsteadyCoordinator there = UnsteadyCoordinator.at(socket)) {
      for (String address : List.of("unix:" + socket, "unix://" + socket)) {
        try (BitloomClient other = BitloomClient.builder(address).build()) {
          assertEquals(List.of(), other.listModels());
        }
      }
    }
  }

  @Test
  void whatDoesNotSpeakGrpcIsNamed() throws IOException {
    HttpServer pages = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    pages.start();
    String address = "127.0.0.1:" + pages.getAddress().getPort();
    try (BitloomClient lost = BitloomClient.builder(address).build()) {
      BitloomException e = assertThrows(BitloomException.class, lost::listModels);

      assertTrue(e.getMessage().contains("what listens at " + address), e.getMessage());
    } finally {
      pages.stop(0);
    }
  }

  private static boolean hasIpv6Loopback() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
