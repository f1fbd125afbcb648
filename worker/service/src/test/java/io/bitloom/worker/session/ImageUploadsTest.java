package io.bitloom.worker.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpServer;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.ImageUpload;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Uploads to an HTTP server on a socket. */
@Timeout(600)
class ImageUploadsTest {
  private static final LeasedOutcome OUTCOME =
      new LeasedOutcome(
          HeldLease.newBuilder().setLeaseId("lease").setFencingToken(7).setSecret("secret").build(),
          TaskRef.newBuilder().setJob("jobs/a").setOffset(3).build(),
          PromptOutcome.newBuilder()
              .setIndex(1)
              .setImages(GeneratedImages.newBuilder().addImages(image(0)).addImages(image(1)))
              .build(),
          1,
          StageTimes.getDefaultInstance(),
          0);

  private final BlockingQueue<Object> told = new LinkedBlockingQueue<>();
  private final Queue<String> files = new ConcurrentLinkedQueue<>();
  private final Queue<Integer> statuses = new ConcurrentLinkedQueue<>();
  private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
  private final ImageUploads uploads = new ImageUploads(loop, new Told(), WorkerTraces.OFF);
  private HttpServer store;

  private static GeneratedImage image(int index) {
    return GeneratedImage.newBuilder()
        .setIndex(index)
        .setData(ByteString.copyFromUtf8("file " + index))
        .build();
  }

  private final class Told implements ImageUploads.Listener {
    @Override
    public void ask(UploadRequest request) {
      told.add(request);
    }

    @Override
    public void uploaded(LeasedOutcome outcome) {
      told.add(outcome);
    }

    @Override
    public void givenUp(LeasedOutcome outcome) {
      told.add("given up");
    }
  }

  @BeforeEach
  void start() throws IOException {
    store = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    store.createContext(
        "/",
        exchange -> {
          String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
          String tag = exchange.getRequestHeaders().getFirst("x-tag");
          files.add(exchange.getRequestURI() + " " + tag + " " + body);
          Integer status = statuses.poll();
          exchange.sendResponseHeaders(status == null ? 200 : status, -1);
          exchange.close();
        });
    store.start();
  }

  @AfterEach
  void stop() {
    loop.shutdownNow();
    store.stop(0);
  }

  private UploadGrant grant(String url) {
    UploadGrant.Builder grant =
        UploadGrant.newBuilder().setLeaseId("lease").setTask(OUTCOME.task());
    for (int i = 0; i < 2; i++) {
      grant.addUploads(
          ImageUpload.newBuilder()
              .setUri("name-" + i)
              .setUrl(url + i)
              .putHeaders("x-tag", "t" + i));
    }
    return grant.build();
  }

  private String storeUrl() {
    return "http://127.0.0.1:" + store.getAddress().getPort() + "/";
  }

  private void start(LeasedOutcome outcome) {
    loop.execute(() -> uploads.start(outcome));
  }

  private void granted(UploadGrant grant) {
    loop.execute(() -> uploads.granted(grant));
  }

  @Test
  void everyFileGoesToItsPlaceAndTheOutcomeNamesIt() throws Exception {
    start(OUTCOME);
    UploadRequest request = (UploadRequest) told.take();
    assertEquals(7, request.getFencingToken());
    assertEquals("secret", request.getLeaseSecret());
    assertEquals(OUTCOME.task(), request.getTask());
    assertEquals(
        List.of(false, false),
        request.getImagesList().stream().map(GeneratedImage::hasData).toList());
    granted(grant(storeUrl()));
    LeasedOutcome uploaded = (LeasedOutcome) told.take();
    assertEquals(OUTCOME.task(), uploaded.task());
    assertEquals(1, uploaded.index());
    assertEquals(
        List.of("name-0", "name-1"),
        uploaded.outcome().getImages().getImagesList().stream()
            .map(GeneratedImage::getUri)
            .toList());
    assertEquals(List.of("/0 t0 file 0", "/1 t1 file 1"), files.stream().sorted().toList());
  }

  @Test
  void aFailedUploadAsksAgainAndTheThirdFailureGivesUp() throws Exception {
    start(OUTCOME);
    for (int i = 0; i < 3; i++) {
      assertEquals(UploadRequest.class, told.take().getClass());
      statuses.add(503);
      granted(grant(storeUrl()));
    }
    assertEquals("given up", told.take());
  }

  @Test
  void anUnusableGrantGivesUpAndABadPlaceCountsAsAFailure() throws Exception {
    start(OUTCOME);
    told.take();
    granted(grant("file:///etc/").toBuilder().build());
    assertEquals(UploadRequest.class, told.take().getClass());
    granted(grant(storeUrl()).toBuilder().clearUploads().build());
    assertEquals("given up", told.take());
    assertEquals(List.of(), List.copyOf(files));
  }

  @Test
  void whatIsNotWantedAnyMoreIsNotAskedForAgain() throws Exception {
    start(OUTCOME);
    told.take();
    loop.execute(() -> uploads.forget("lease", List.of()));
    granted(grant(storeUrl()));
    loop.submit(() -> {}).get(CoordinatorPeer.PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertEquals(List.of(), List.copyOf(told));
    assertEquals(List.of(), List.copyOf(files));
  }
}
