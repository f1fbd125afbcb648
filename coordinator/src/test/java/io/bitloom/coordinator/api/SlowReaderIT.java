package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.CoordinatorProcess;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.SealJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator with little memory and readers that stop reading. */
class SlowReaderIT {

  private static final int RESULTS = 60;
  private static final int IMAGE_BYTES = 1 << 20;
  private static final int STALLED_READERS = 20;
  private static final int READERS_THAT_GO_ON = 3;
  private static final String HEAP = "-Xmx112m";

  @TempDir Path directory;

  /** Reads one result, then nothing until it is told to go on. */
  private static final class StallingReader
      implements ClientResponseObserver<ReadResultsRequest, ReadResultsResponse> {

    private final AtomicInteger read = new AtomicInteger();
    private final CompletableFuture<Integer> end = new CompletableFuture<>();
    private final CountDownLatch first = new CountDownLatch(1);
    private ClientCallStreamObserver<ReadResultsRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<ReadResultsRequest> call) {
      this.call = call;
      call.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(ReadResultsResponse result) {
      if (read.incrementAndGet() > 1) {
        call.request(1);
      }
      first.countDown();
    }

    @Override
    public void onError(Throwable error) {
      end.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      end.complete(read.get());
    }

    void goOn() {
      call.request(1);
    }

    void leave() {
      call.cancel("seen enough", null);
    }
  }

  private static ManagedChannel channel(int port) {
    return NettyChannelBuilder.forAddress("127.0.0.1", port)
        .usePlaintext()
        .maxInboundMessageSize(64 << 20)
        .build();
  }

  private static double unreadBytes(int httpPort) throws Exception {
    HttpResponse<String> metrics =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/metrics"))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    return metrics
        .body()
        .lines()
        .filter(line -> line.startsWith("bitloom_results_unread_bytes "))
        .mapToDouble(line -> Double.parseDouble(line.split(" ")[1]))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void readersThatStallCostOneMessageEachAndDisturbNobody() throws Exception {
    List<String> options = new ArrayList<>(CoordinatorProcess.usualOptions(directory));
    options.addAll(
        List.of("--redis", TestRedis.uri(), "--redis-namespace", "test-" + UUID.randomUUID()));
    try (CoordinatorProcess coordinator =
        CoordinatorProcess.launch(directory, List.of(HEAP), options)) {
      int port = coordinator.ports().get("grpc").getAsInt();
      int httpPort = coordinator.ports().get("http").getAsInt();
      List<ManagedChannel> channels = new ArrayList<>();
      ManagedChannel channel = channel(port);
      channels.add(channel);
      try {
        String job = finishedJob(port, channel);
        ReadResultsRequest request = ReadResultsRequest.newBuilder().setName(job).build();
        List<StallingReader> stalled = new ArrayList<>();
        for (int i = 0; i < STALLED_READERS; i++) {
          // A connection each, so that one reader's window is not the others'.
          ManagedChannel own = channel(port);
          channels.add(own);
          StallingReader reader = new StallingReader();
          BatchServiceGrpc.newStub(own).readResults(request, reader);
          stalled.add(reader);
        }
        for (StallingReader reader : stalled) {
          assertTrue(reader.first.await(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
        awaitTrue(
            "every stalled reader holds something",
            () -> quietly(httpPort) >= STALLED_READERS * (double) IMAGE_BYTES);
        int healthy = 0;
        var results = BatchServiceGrpc.newBlockingStub(channel).readResults(request);
        while (results.hasNext()) {
          assertEquals(
              IMAGE_BYTES, results.next().getResult().getImages().getImages(0).getData().size());
          healthy++;
        }
        assertEquals(RESULTS, healthy);
        // Each holds one message, and the transport may have taken a second one for it.
        assertTrue(unreadBytes(httpPort) <= 2.0 * STALLED_READERS * IMAGE_BYTES);
        List<StallingReader> goingOn = stalled.subList(0, READERS_THAT_GO_ON);
        stalled.subList(READERS_THAT_GO_ON, STALLED_READERS).forEach(StallingReader::leave);
        goingOn.forEach(StallingReader::goOn);
        for (StallingReader reader : goingOn) {
          assertEquals(
              RESULTS, reader.end.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
        awaitTrue("all is given back", () -> quietly(httpPort) == 0);
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  private static double quietly(int httpPort) {
    try {
      return unreadBytes(httpPort);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static String finishedJob(int port, ManagedChannel channel) throws Exception {
    BatchServiceGrpc.BatchServiceBlockingStub batch = BatchServiceGrpc.newBlockingStub(channel);
    try (FakeWorker worker =
        FakeWorker.start(
            "127.0.0.1:" + port,
            "w",
            FakeBehaviour.DEFAULT.withBatch(4, Duration.ofMillis(1)).withImageBytes(IMAGE_BYTES))) {
      awaitTrue("worker is welcome", () -> worker.welcomes() > 0);
      assertEquals(
          1, batch.listModels(ListModelsRequest.getDefaultInstance()).getModels(0).getWorkers());
      String job = batch.createJob(CreateJobRequest.getDefaultInstance()).getJob().getName();
      append(channel, job, TestCoordinator.prompts(RESULTS));
      batch.sealJob(SealJobRequest.newBuilder().setName(job).build());
      awaitTrue("all is drawn", () -> worker.committed() == RESULTS);
      return job;
    }
  }

  private static void append(ManagedChannel channel, String job, List<Prompt> prompts)
      throws Exception {
    CompletableFuture<Long> appended = new CompletableFuture<>();
    StreamObserver<AppendPromptsRequest> call =
        BatchServiceGrpc.newStub(channel)
            .appendPrompts(
                new StreamObserver<>() {
                  @Override
                  public void onNext(AppendPromptsResponse response) {
                    appended.complete(response.getNextOffset());
                  }

                  @Override
                  public void onError(Throwable error) {
                    appended.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    call.onNext(AppendPromptsRequest.newBuilder().setName(job).addAllPrompts(prompts).build());
    call.onCompleted();
    assertEquals(
        prompts.size(), appended.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS));
  }
}
