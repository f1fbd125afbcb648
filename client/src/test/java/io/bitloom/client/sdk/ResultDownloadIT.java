package io.bitloom.client.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A coordinator that gives links into a store, each on a port of its own. */
@Timeout(120)
class ResultDownloadIT {

  private static final int RESULTS = 200;
  private static final int FAILED = 7;

  private final List<ReadResultsRequest> reads = new ArrayList<>();
  private final AtomicInteger singles = new AtomicInteger();
  private final ConcurrentLinkedQueue<String> fetched = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer store;
  private Server coordinator;
  private BitloomClient client;

  @BeforeEach
  void start() throws IOException {
    store = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    store.setExecutor(threads);
    coordinator =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new Coordinator())
            .build()
            .start();
    client = BitloomClient.builder("127.0.0.1:" + coordinator.getPort()).build();
  }

  @AfterEach
  void stop() {
    client.close();
    coordinator.shutdownNow();
    store.stop(0);
    threads.shutdownNow();
  }

  private static ByteString picture(int offset) {
    return ByteString.copyFromUtf8("picture " + offset);
  }

  private static PromptResult result(int offset, GeneratedImage image) {
    PromptResult.Builder result =
        PromptResult.newBuilder().setOffset(offset).setCustomId("p" + offset);
    return offset == FAILED
        ? result.setFailure(PromptFailure.newBuilder().setReason("INTERNAL")).build()
        : result.setImages(GeneratedImages.newBuilder().addImages(image)).build();
  }

  private static GeneratedImage.Builder image(int offset) {
    return GeneratedImage.newBuilder().setSizeBytes(picture(offset).size());
  }

  private final class Coordinator extends BatchServiceGrpc.BatchServiceImplBase {
    @Override
    public void readResults(
        ReadResultsRequest request, StreamObserver<ReadResultsResponse> responses) {
      synchronized (reads) {
        reads.add(request);
      }
      String after = request.getAfterCursor();
      for (int i = after.isEmpty() ? 0 : Integer.parseInt(after) + 1; i < RESULTS; i++) {
        String link = "http://127.0.0.1:" + store.getAddress().getPort() + "/" + i;
        GeneratedImage image =
            request.getDownloadUrls()
                ? image(i).setDownloadUrl(link).build()
                : image(i).setData(picture(i)).build();
        responses.onNext(
            ReadResultsResponse.newBuilder()
                .setResult(result(i, image))
                .setCursor(Integer.toString(i))
                .build());
      }
      responses.onCompleted();
    }

    @Override
    public void getPrompt(GetPromptRequest request, StreamObserver<GetPromptResponse> responses) {
      singles.incrementAndGet();
      int offset = Integer.parseInt(request.getCustomId().substring(1));
      GeneratedImage image = image(offset).setData(picture(offset)).build();
      responses.onNext(GetPromptResponse.newBuilder().setResult(result(offset, image)).build());
      responses.onCompleted();
    }
  }

  private void serve(int status, String suffix) {
    store.createContext("/", exchange -> answer(exchange, status, suffix));
    store.start();
  }

  private void answer(HttpExchange exchange, int status, String suffix) throws IOException {
    try (exchange) {
      String offset = exchange.getRequestURI().getPath().substring(1);
      fetched.add(offset);
      byte[] body =
          picture(Integer.parseInt(offset)).concat(ByteString.copyFromUtf8(suffix)).toByteArray();
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private void assertAllComeInOrder() {
    List<PromptResult> expected =
        IntStream.range(0, RESULTS)
            .mapToObj(i -> result(i, image(i).setData(picture(i)).build()))
            .toList();
    List<PromptResult> results = new ArrayList<>();
    try (ResultDownload download = client.downloadResults("jobs/1", "", false)) {
      download.forEachRemaining(response -> results.add(response.getResult()));
    }
    assertEquals(expected, results);
  }

  @Test
  void imagesComeFromTheStoreManyAtATimeInTheOrderOfTheResults() {
    CountDownLatch together = new CountDownLatch(8);
    store.createContext(
        "/",
        exchange -> {
          together.countDown();
          try {
            together.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          answer(exchange, 200, "");
        });
    store.start();
    assertAllComeInOrder();
    assertEquals(RESULTS - 1, fetched.size());
    assertEquals(0, singles.get());
    assertEquals(1, reads.size());
  }

  @Test
  void whatTheStoreDoesNotGiveComesFromTheCoordinator() {
    serve(403, "");
    assertAllComeInOrder();
    assertEquals(RESULTS - 1, singles.get());
  }

  @Test
  void aFileOfAnotherLengthIsNotTaken() {
    serve(200, " and more");
    assertAllComeInOrder();
    assertEquals(RESULTS - 1, singles.get());
  }

  @Test
  void whereTheStoreCannotBeReachedTheCoordinatorSendsTheRest() {
    store.start();
    store.stop(0);
    assertAllComeInOrder();
    assertTrue(singles.get() < RESULTS / 2, () -> singles + " one by one");
    assertEquals(2, reads.size());
    assertTrue(reads.get(0).getDownloadUrls());
    assertFalse(reads.get(1).getDownloadUrls());
  }

  @Test
  void itCanBeClosedInTheMiddle() {
    serve(200, "");
    ResultDownload download = client.downloadResults("jobs/1", "", false);
    assertEquals(0, download.next().getResult().getOffset());
    download.close();
    assertFalse(download.hasNext());
  }
}
