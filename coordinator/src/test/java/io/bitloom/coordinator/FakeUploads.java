package io.bitloom.coordinator;

import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.ImageUpload;
import io.bitloom.v1.Lease;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;

/** How a {@link FakeWorker} puts images into a result store that takes them. */
final class FakeUploads {

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** Whether an outcome has images that can be uploaded. */
  static boolean canUpload(PromptOutcome outcome) {
    return outcome.getImages().getImagesList().stream().anyMatch(GeneratedImage::hasData);
  }

  static UploadRequest request(Lease lease, TaskRef task, PromptOutcome outcome) {
    UploadRequest.Builder request =
        UploadRequest.newBuilder()
            .setLeaseId(lease.getLeaseId())
            .setFencingToken(lease.getFencingToken())
            .setLeaseSecret(lease.getSecret())
            .setTask(task);
    outcome
        .getImages()
        .getImagesList()
        .forEach(image -> request.addImages(image.toBuilder().clearData()));
    return request.build();
  }

  /** The outcome with names in place of bytes; empty if the store did not take them. */
  Optional<PromptOutcome> upload(PromptOutcome outcome, UploadGrant grant) {
    GeneratedImages.Builder named = GeneratedImages.newBuilder();
    for (int i = 0; i < grant.getUploadsCount(); i++) {
      GeneratedImage image = outcome.getImages().getImages(i);
      if (put(grant.getUploads(i), image.getData().toByteArray()) != 200) {
        return Optional.empty();
      }
      named.addImages(image.toBuilder().setUri(grant.getUploads(i).getUri()));
    }
    return grant.getUploadsCount() == 0
        ? Optional.of(outcome)
        : Optional.of(outcome.toBuilder().setImages(named).build());
  }

  /** The HTTP status, or 0 if there was no answer. */
  int put(ImageUpload place, byte[] file) {
    HttpRequest.Builder put =
        HttpRequest.newBuilder(URI.create(place.getUrl()))
            .PUT(HttpRequest.BodyPublishers.ofByteArray(file));
    place.getHeadersMap().forEach(put::header);
    try {
      return http.send(put.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    } catch (IOException e) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }
}
