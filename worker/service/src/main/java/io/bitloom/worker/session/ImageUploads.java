package io.bitloom.worker.session;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.log.LogFields;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.ImageUpload;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the images of outcomes into the result store, where the coordinator says. An upload that
 * fails is tried again with a new grant; after some failures the bytes go to the coordinator, which
 * may reach the store when the worker does not. Confined to the session's thread.
 */
final class ImageUploads {
  private static final Logger log = LoggerFactory.getLogger(ImageUploads.class);
  private static final int MOST_FAILURES = 3;
  private static final int PUT_ACCEPTED = 200;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration PUT_TIMEOUT = Duration.ofMinutes(1);

  /** Told on the session's thread. */
  interface Listener {
    void ask(UploadRequest request);

    /**
     * @param outcome with the names of its images in the store in place of their bytes
     */
    void uploaded(LeasedOutcome outcome);

    /** The images are to go to the coordinator. */
    void givenUp(LeasedOutcome outcome);
  }

  private record Key(String leaseId, TaskRef task) {
    static Key of(LeasedOutcome outcome) {
      return new Key(outcome.leaseId(), outcome.task());
    }
  }

  private static final class Upload {
    private final LeasedOutcome outcome;
    private int failures;
    private boolean underWay;
    private long since; // the last attempt, for its span

    private Upload(LeasedOutcome outcome) {
      this.outcome = outcome;
    }

    private List<GeneratedImage> images() {
      return outcome.outcome().getImages().getImagesList();
    }
  }

  private final ScheduledExecutorService loop;
  private final Listener listener;
  private final WorkerTraces traces;
  private final IntervalFunction waits =
      IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(200), 3);
  private final Map<Key, Upload> uploads = new HashMap<>();
  private final FailuresInARow failing = new FailuresInARow(); // one store for all images
  private HttpClient http; // null until it is needed

  ImageUploads(ScheduledExecutorService loop, Listener listener, WorkerTraces traces) {
    this.loop = loop;
    this.listener = listener;
    this.traces = traces;
  }

  /** Uploads the images of an outcome; of one that is known, only asks for a grant again. */
  void start(LeasedOutcome outcome) {
    ask(uploads.computeIfAbsent(Key.of(outcome), key -> new Upload(outcome)));
  }

  private void ask(Upload upload) {
    if (upload.underWay) {
      return;
    }
    upload.since = traces.now();
    UploadRequest.Builder request =
        UploadRequest.newBuilder()
            .setLeaseId(upload.outcome.leaseId())
            .setFencingToken(upload.outcome.lease().getFencingToken())
            .setLeaseSecret(upload.outcome.lease().getSecret())
            .setTask(upload.outcome.task());
    for (GeneratedImage image : upload.images()) {
      request.addImages(image.toBuilder().clearData());
    }
    listener.ask(request.build());
  }

  /**
   * Forgets outcomes that are not wanted any more.
   *
   * @param tasks empty: the whole lease
   */
  void forget(String leaseId, Collection<TaskRef> tasks) {
    uploads
        .keySet()
        .removeIf(
            key ->
                key.leaseId().equals(leaseId) && (tasks.isEmpty() || tasks.contains(key.task())));
  }

  /** The coordinator says where. */
  void granted(UploadGrant grant) {
    Upload upload = uploads.get(new Key(grant.getLeaseId(), grant.getTask()));
    if (upload == null || upload.underWay) {
      return;
    }
    List<GeneratedImage> images = upload.images();
    if (grant.getUploadsCount() != images.size()) {
      giveUp(upload);
      return;
    }
    upload.underWay = true;
    CompletableFuture<?>[] puts =
        IntStream.range(0, images.size())
            .mapToObj(i -> put(images.get(i), grant.getUploads(i)))
            .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(puts)
        .whenCompleteAsync((done, failure) -> ended(upload, grant, failure), loop);
  }

  private CompletableFuture<?> put(GeneratedImage image, ImageUpload place) {
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(place.getUrl()))
              .timeout(PUT_TIMEOUT)
              .PUT(HttpRequest.BodyPublishers.ofByteArray(image.getData().toByteArray()));
      place.getHeadersMap().forEach(request::header);
      return http()
          .sendAsync(request.build(), HttpResponse.BodyHandlers.ofString())
          .thenCompose(ImageUploads::accepted);
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private HttpClient http() {
    if (http == null) {
      http =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .connectTimeout(CONNECT_TIMEOUT)
              .build();
    }
    return http;
  }

  private static CompletableFuture<Void> accepted(HttpResponse<String> response) {
    if (response.statusCode() == PUT_ACCEPTED) {
      return CompletableFuture.completedFuture(null);
    }
    String body = response.body();
    return CompletableFuture.failedFuture(
        new IOException(
            "the result store says "
                + response.statusCode()
                + " "
                + body.substring(0, Math.min(body.length(), 200))));
  }

  private void ended(Upload upload, UploadGrant grant, Throwable failure) {
    upload.underWay = false;
    if (traces.on()) {
      String code = failure == null ? "" : ErrorCode.RESULT_STORE_UNAVAILABLE.name();
      traces.uploaded(upload.outcome, upload.since, "store", code);
    }
    Key key = Key.of(upload.outcome);
    if (uploads.get(key) != upload) {
      return;
    }
    if (failure == null) {
      failing.over();
      uploads.remove(key);
      listener.uploaded(named(upload, grant));
      return;
    }
    upload.failures++;
    if (failing.isToBeSaid()) {
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      log.atWarn()
          .addKeyValue(LogFields.JOB, key.task().getJob())
          .addKeyValue(LogFields.PROMPT, key.task().getOffset())
          .log(
              "images of prompt {} of {} could not be uploaded ({} of {} attempts; further failures"
                  + " are said ever more rarely): {}",
              key.task().getOffset(),
              key.task().getJob(),
              upload.failures,
              MOST_FAILURES,
              cause.getMessage() == null ? "no answer" : cause.getMessage());
    }
    if (upload.failures == MOST_FAILURES) {
      giveUp(upload);
    } else {
      loop.schedule(
          () -> {
            if (uploads.get(key) == upload) {
              ask(upload);
            }
          },
          waits.apply(upload.failures),
          TimeUnit.MILLISECONDS);
    }
  }

  private void giveUp(Upload upload) {
    uploads.remove(Key.of(upload.outcome));
    listener.givenUp(upload.outcome);
  }

  private static LeasedOutcome named(Upload upload, UploadGrant grant) {
    GeneratedImages.Builder images = GeneratedImages.newBuilder();
    for (int i = 0; i < upload.images().size(); i++) {
      images.addImages(upload.images().get(i).toBuilder().setUri(grant.getUploads(i).getUri()));
    }
    return upload.outcome.with(upload.outcome.outcome().toBuilder().setImages(images).build());
  }
}
