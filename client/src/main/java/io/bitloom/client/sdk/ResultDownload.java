package io.bitloom.client.sdk;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;

/**
 * Results with their images, in the order of the outcomes. Images in S3 are fetched from there,
 * many at a time and not through the coordinator; where that does not work, the coordinator sends
 * them. What was fetched and not taken is bounded. Not thread-safe; {@link #close} may be called
 * from any thread.
 */
public final class ResultDownload implements Iterator<ReadResultsResponse>, AutoCloseable {

  /** Results that are fetched at a time or wait to be taken. */
  private static final int RESULTS = 32;

  /** Bytes of the images of these; one result may have more. */
  private static final int BYTES = 64 << 20;

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int OK = 200;

  /** A result on its way; empty after the last one. */
  private record Coming(CompletableFuture<Optional<ReadResultsResponse>> result, int bytes) {}

  private final BitloomClient client;
  private final String job;
  private final HttpClient http;
  private final BlockingQueue<Coming> coming = new ArrayBlockingQueue<>(RESULTS);
  private final Semaphore room = new Semaphore(BYTES);
  private final Thread reader;

  private volatile ResumingStream<ReadResultsResponse> stream;
  private volatile boolean direct = true;
  private volatile boolean closed;
  private ReadResultsResponse next;
  private boolean ended;

  /**
   * @param request of the results; whether links are wanted is said here
   */
  ResultDownload(BitloomClient client, ReadResultsRequest request) {
    this.client = client;
    this.job = request.getName();
    this.http =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    this.stream = open(request);
    this.reader = new Thread(() -> read(request), "results");
    reader.setDaemon(true);
    reader.start();
  }

  private ResumingStream<ReadResultsResponse> open(ReadResultsRequest request) {
    return client.results(request.toBuilder().setDownloadUrls(direct).build());
  }

  // In the reader's thread

  private void read(ReadResultsRequest request) {
    CompletableFuture<Optional<ReadResultsResponse>> end = new CompletableFuture<>();
    try {
      boolean links = direct;
      ReadResultsRequest.Builder rest = request.toBuilder();
      while (stream.hasNext()) {
        ReadResultsResponse response = stream.next();
        rest.setAfterCursor(response.getCursor());
        take(response);
        if (links && !direct) { // S3 cannot be reached from here
          links = false;
          stream.close();
          stream = open(rest.build());
          if (closed) {
            stream.close();
          }
        }
      }
      end.complete(Optional.empty());
    } catch (RuntimeException | Error e) { // or whoever waits for results waits for ever
      end.completeExceptionally(e);
    } catch (InterruptedException e) {
      return; // nobody takes anything any more
    }
    try {
      coming.put(new Coming(end, 0));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void take(ReadResultsResponse response) throws InterruptedException {
    long size =
        response.getResult().getImages().getImagesList().stream()
            .mapToLong(GeneratedImage::getSizeBytes)
            .sum();
    int bytes = (int) Math.min(BYTES, size);
    room.acquire(bytes);
    coming.put(new Coming(fetch(response).thenApply(Optional::of), bytes));
  }

  private CompletableFuture<ReadResultsResponse> fetch(ReadResultsResponse response) {
    List<GeneratedImage> images = response.getResult().getImages().getImagesList();
    if (images.stream().allMatch(image -> image.getDownloadUrl().isEmpty())) {
      return CompletableFuture.completedFuture(response);
    }
    List<CompletableFuture<ByteString>> files = new ArrayList<>();
    images.forEach(image -> files.add(file(image)));
    return CompletableFuture.allOf(files.toArray(CompletableFuture<?>[]::new))
        .thenApply(all -> with(response, files.stream().map(CompletableFuture::join).toList()))
        .exceptionallyAsync(e -> fromCoordinator(response, e));
  }

  private CompletableFuture<ByteString> file(GeneratedImage image) {
    HttpRequest request;
    try {
      request = HttpRequest.newBuilder(URI.create(image.getDownloadUrl())).timeout(TIMEOUT).build();
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(e);
    }
    return http.sendAsync(request, ofLength(image.getSizeBytes()))
        .thenApply(
            answer ->
                answer
                    .body()
                    .orElseThrow(
                        () ->
                            new BitloomException(
                                ErrorCode.RESULT_MISSING,
                                "the result store answers " + answer.statusCode())));
  }

  /** Reads a file of this length, and nothing else. */
  private static BodyHandler<Optional<ByteString>> ofLength(long bytes) {
    return head ->
        head.statusCode() == OK
                && head.headers().firstValueAsLong("content-length").orElse(-1) == bytes
            ? BodySubscribers.mapping(
                BodySubscribers.ofByteArray(),
                body -> Optional.of(UnsafeByteOperations.unsafeWrap(body)))
            : BodySubscribers.replacing(Optional.empty());
  }

  private static ReadResultsResponse with(ReadResultsResponse response, List<ByteString> files) {
    ReadResultsResponse.Builder whole = response.toBuilder();
    IntStream.range(0, files.size())
        .forEach(
            i ->
                whole
                    .getResultBuilder()
                    .getImagesBuilder()
                    .getImagesBuilder(i)
                    .setData(files.get(i))
                    .clearDownloadUrl());
    return whole.build();
  }

  private ReadResultsResponse fromCoordinator(ReadResultsResponse response, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof IOException) {
      direct = false;
    }
    PromptResult whole = client.getPrompt(job, response.getResult().getCustomId()).getResult();
    return response.toBuilder().setResult(whole).build();
  }

  // In the caller's thread

  /**
   * Waits for the next result.
   *
   * @return false after the last one, or if {@link #close} was called
   * @throws BitloomException if the results cannot be read
   */
  @Override
  public boolean hasNext() {
    if (next == null && !ended && !closed) {
      try {
        Coming first = coming.take();
        next = first.result().join().orElse(null);
        ended = next == null;
        room.release(first.bytes());
      } catch (CompletionException e) {
        ended = true;
        throw e.getCause() instanceof BitloomException known
            ? known
            : new BitloomException(ErrorCode.INTERNAL, e.getCause().toString(), e);
      } catch (InterruptedException e) {
        throw Backoff.interrupted(e);
      }
    }
    return next != null;
  }

  @Override
  public ReadResultsResponse next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    ReadResultsResponse taken = next;
    next = null;
    return taken;
  }

  @Override
  public void close() {
    closed = true;
    stream.close();
    reader.interrupt();
    coming.clear();
    coming.offer(new Coming(CompletableFuture.completedFuture(Optional.empty()), 0));
  }
}
