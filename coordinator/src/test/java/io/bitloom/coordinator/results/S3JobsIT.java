package io.bitloom.coordinator.results;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeDrawing;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs whose images workers put into an S3 bucket themselves. */
class S3JobsIT {

  private static final int IMAGE_BYTES = 5000;
  private static final FakeBehaviour WORKER = FakeBehaviour.DEFAULT.withImageBytes(IMAGE_BYTES);

  private static TestS3 s3;

  @TempDir private Path directory;
  private TestCoordinator coordinator;

  @BeforeAll
  static void startS3() throws Exception {
    s3 = TestS3.start();
  }

  @AfterAll
  static void stopS3() throws Exception {
    s3.close();
  }

  @BeforeEach
  void start() throws Exception {
    coordinator =
        TestCoordinator.start(directory, s3.results("jobs"), Optional.of(Duration.ofMillis(1500)));
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  private static ByteString drawn(PromptResult result) {
    return FakeDrawing.bytes(result.getProvenance().getPrompt(), 0, IMAGE_BYTES);
  }

  private String prefix(Job job) {
    return "jobs/" + ImageName.folder(job.getName().substring("jobs/".length())) + "/";
  }

  private List<String> images(Job job) {
    return s3.keys(prefix(job)).stream().filter(key -> key.endsWith(".png")).toList();
  }

  @Test
  void imagesThatWorkersUploadAreReadInlineOrFromTheStore() throws Exception {
    FakeWorker worker = coordinator.worker("w", WORKER);
    Job job = coordinator.submit(prompts(20));
    for (PromptResult result : coordinator.results(job.getName())) {
      assertEquals(drawn(result), result.getImages().getImages(0).getData());
    }
    assertEquals(20, worker.committed());
    assertEquals(20, images(job).size());

    HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    PromptResult result =
        coordinator
            .batch()
            .readResults(
                ReadResultsRequest.newBuilder()
                    .setName(job.getName())
                    .setDownloadUrls(true)
                    .build())
            .next()
            .getResult();
    GeneratedImage image = result.getImages().getImages(0);
    assertFalse(image.hasData());
    byte[] fetched =
        http.send(
                HttpRequest.newBuilder(URI.create(image.getDownloadUrl())).build(),
                HttpResponse.BodyHandlers.ofByteArray())
            .body();
    assertEquals(image.getSha256(), ImageName.sha256(ByteString.copyFrom(fetched)));
  }

  @Test
  void aChangedObjectFailsItsPromptAndNoOther() throws Exception {
    coordinator.worker("w", WORKER);
    Job job = coordinator.submit(prompts(3));
    assertEquals(3, coordinator.results(job.getName()).size());
    s3.overwrite(images(job).get(0), "x".repeat(IMAGE_BYTES));
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(
        List.of("RESULT_CORRUPT"),
        results.stream()
            .filter(PromptResult::hasFailure)
            .map(result -> result.getFailure().getReason())
            .toList());
    assertEquals(2, results.stream().filter(PromptResult::hasImages).count());
  }

  @Test
  void nothingIsLostWhileTheStoreIsAway() throws Exception {
    FakeWorker worker = coordinator.worker("w", WORKER.withBatch(4, Duration.ofMillis(2)));
    s3.stop();
    Job job = coordinator.submit(prompts(40));
    awaitTrue("the worker goes on", () -> worker.prompts() == 40);
    assertEquals(0, worker.committed());
    s3.startAgain();
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(40, results.size());
    for (PromptResult result : results) {
      assertEquals(drawn(result), result.getImages().getImages(0).getData());
    }
    assertEquals(JobState.JOB_STATE_SUCCEEDED, coordinator.job(job.getName()).getState());
  }

  @Test
  void objectsGoWithTheirJobWhetherDeletedOrOld() throws Exception {
    coordinator.worker("w", WORKER);
    Job deleted = coordinator.submit(prompts(2));
    Job old = coordinator.submit(prompts(2));
    coordinator.results(deleted.getName());
    assertTrue(s3.keys(prefix(deleted)).size() > 0);
    coordinator.batch().deleteJob(DeleteJobRequest.newBuilder().setName(deleted.getName()).build());
    assertEquals(List.of(), s3.keys(prefix(deleted)));
    coordinator.results(old.getName());
    awaitTrue("old images are gone", () -> s3.keys(prefix(old)).isEmpty());
  }
}
