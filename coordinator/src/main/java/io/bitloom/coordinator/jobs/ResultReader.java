package io.bitloom.coordinator.jobs;

import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.OutcomeKind;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Provenance;
import io.bitloom.v1.ReadResultsResponse;
import java.io.UncheckedIOException;
import java.util.Optional;

/** Makes results for readers from what the queue and the result store keep of them. */
final class ResultReader {

  private final ResultStore store;

  ResultReader(ResultStore store) {
    this.store = store;
  }

  /** The result with the names of its images, for a reader who may know its worker or may not. */
  static ReadResultsResponse describe(Caller reader, String jobId, ResultRecord record) {
    return describe(reader.seesWorkers(), jobId, record);
  }

  /** The same for nobody in particular: without its worker. */
  static ReadResultsResponse describe(String jobId, ResultRecord record) {
    return describe(false, jobId, record);
  }

  private static ReadResultsResponse describe(
      boolean withWorker, String jobId, ResultRecord record) {
    PromptResult.Builder result = body(record);
    complete(record, result);
    if (!withWorker) {
      result.getProvenanceBuilder().clearWorker();
    }
    return ReadResultsResponse.newBuilder()
        .setResult(result)
        .setCursor(ResultCursor.of(jobId, record.cursor()))
        .build();
  }

  /** Bytes of the images that a result names. */
  static long imageBytes(ReadResultsResponse described) {
    return described.getResult().getImages().getImagesList().stream()
        .mapToLong(GeneratedImage::getSizeBytes)
        .sum();
  }

  /**
   * Puts the bytes of images in the place of their names; blocks while they are read. An image that
   * is lost or broken makes its prompt's result a failure with that reason, so that it does not
   * stand in the way of all later results.
   *
   * @throws BitloomException {@code RESULT_STORE_UNAVAILABLE}
   */
  ReadResultsResponse withImages(ReadResultsResponse described) {
    PromptResult.Builder result = described.getResult().toBuilder();
    if (result.hasImages()) {
      try {
        result.setImages(withBytes(result.getImages()));
      } catch (BitloomException e) {
        if (e.code().fault() == ErrorCode.Fault.RESOURCE) {
          throw e;
        }
        int attempt = result.getProvenance().getAttempt();
        result.setFailure(failure(e.code(), e.getMessage(), attempt));
      }
    }
    return described.toBuilder().setResult(result).build();
  }

  /** What callers call the kind of an outcome. */
  static OutcomeKind kind(ResultRecord record) {
    return switch (record.status()) {
      case SUCCEEDED -> OutcomeKind.OUTCOME_KIND_SUCCEEDED;
      case FAILED, LOST -> OutcomeKind.OUTCOME_KIND_FAILED;
      case CANCELLED, EXPIRED -> OutcomeKind.OUTCOME_KIND_CANCELLED;
    };
  }

  private static PromptResult.Builder body(ResultRecord record) {
    try {
      return PromptResult.parseFrom(record.body()).toBuilder();
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("result " + record.cursor() + " is broken", e);
    }
  }

  private static void complete(ResultRecord record, PromptResult.Builder result) {
    Prompt prompt = prompt(record);
    result.setOffset(record.offset()).setCustomId(prompt.getCustomId());
    Provenance.Builder provenance = result.getProvenanceBuilder();
    provenance
        .setPrompt(prompt)
        .setAttempt(record.attempt())
        .setCommitTime(JobMessages.timestamp(record.commitTime()));
    switch (record.status()) {
      case SUCCEEDED -> {}
      case FAILED -> result.getFailureBuilder().setAttempts(record.attempt());
      case LOST ->
          result.setFailure(
              failure(
                  ErrorCode.WORKER_LOST,
                  "every worker that tried it was lost on the way",
                  record.attempt()));
      case EXPIRED ->
          result.setFailure(
              failure(ErrorCode.EXPIRED, "the job's completion window passed", record.attempt()));
      case CANCELLED ->
          result.setFailure(
              failure(ErrorCode.CANCELLED, "the job was cancelled", record.attempt()));
    }
  }

  /** The prompt with every default filled in. */
  static Prompt prompt(ResultRecord record) {
    try {
      return Prompt.parseFrom(record.payload());
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the prompt at " + record.offset() + " is broken", e);
    }
  }

  private static PromptFailure failure(ErrorCode reason, String message, int attempts) {
    return PromptFailure.newBuilder()
        .setReason(reason.name())
        .setMessage(message)
        .setAttempts(attempts)
        .build();
  }

  /** Whether images can be fetched from the result store itself. */
  boolean givesUrls() {
    return store.directAccess().isPresent();
  }

  /**
   * Adds to the names of images where they can be fetched, if the store gives such URLs.
   *
   * @throws BitloomException {@code RESULT_STORE_UNAVAILABLE}
   */
  ReadResultsResponse withUrls(ReadResultsResponse described) {
    Optional<DirectAccess> direct = store.directAccess();
    if (direct.isEmpty() || !described.getResult().hasImages()) {
      return described;
    }
    ReadResultsResponse.Builder response = described.toBuilder();
    response
        .getResultBuilder()
        .getImagesBuilder()
        .getImagesBuilderList()
        .forEach(image -> image.setDownloadUrl(direct.get().download(image.getUri()).toString()));
    return response.build();
  }

  private GeneratedImages withBytes(GeneratedImages references) {
    GeneratedImages.Builder images = GeneratedImages.newBuilder();
    for (GeneratedImage image : references.getImagesList()) {
      images.addImages(image.toBuilder().setData(store.read(image.getUri(), image.getSha256())));
    }
    return images.build();
  }
}
