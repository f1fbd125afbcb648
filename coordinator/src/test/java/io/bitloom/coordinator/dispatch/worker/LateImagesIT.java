package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.ImageUpload;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.Task;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Uploads that are slower than their jobs, and workers that say what is not so. */
class LateImagesIT {

  private static final GeneratedImage IMAGE =
      ScriptedWorker.image("late").toBuilder().setSizeBytes(4).build();

  @TempDir private Path directory;

  @Test
  void anImageThatComesAfterItsJobWasDeletedIsDeletedToo() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCoordinator coordinator =
            TestCoordinator.start(directory, s3.results(""), Optional.empty())) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.submit(prompts(1, "1:1"));
      ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
      Lease lease = worker.lease();
      Task task = lease.getTasks(0);
      UploadGrant grant = grant(worker, lease, task);

      coordinator.cancel(job.getName());
      assertEquals(1, worker.next().getLeaseLost().getTasksCount());
      coordinator.results(job.getName());
      coordinator.batch().deleteJob(DeleteJobRequest.newBuilder().setName(job.getName()).build());
      assertEquals(200, put(grant.getUploads(0)));
      assertEquals(1, s3.keys("").size());
      assertEquals(
          OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED,
          worker.report(uploaded(lease, task, grant.getUploads(0).getUri())));
      awaitTrue("nothing is left over", () -> s3.keys("").isEmpty());
    }
  }

  @Test
  void anImageThatIsNotWhereItsWorkerSaysIsDrawnAgain() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCoordinator coordinator =
            TestCoordinator.start(directory, s3.results(""), Optional.empty())) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.submit(prompts(1, "1:1"));
      ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
      Lease lease = worker.lease();
      UploadGrant grant = grant(worker, lease, lease.getTasks(0));
      worker.report(uploaded(lease, lease.getTasks(0), grant.getUploads(0).getUri()));
      Lease again = worker.lease();
      worker.report(uploaded(again, again.getTasks(0), "elsewhere"));
      Lease third = worker.lease();
      assertEquals(3, third.getTasks(0).getAttempt());
      worker.report(drawn(third, third.getTasks(0), "the bytes are taken, too"));
      assertEquals(
          List.of(true),
          coordinator.results(job.getName()).stream().map(result -> result.hasImages()).toList());
    }
  }

  private static UploadGrant grant(ScriptedWorker worker, Lease lease, Task task) throws Exception {
    worker.send(
        message ->
            message.setUploadRequest(
                UploadRequest.newBuilder()
                    .setLeaseId(lease.getLeaseId())
                    .setFencingToken(lease.getFencingToken())
                    .setLeaseSecret(lease.getSecret())
                    .setTask(task.getRef())
                    .addImages(IMAGE.toBuilder().clearData())));
    return worker.next().getUploadGrant();
  }

  private static Outcome uploaded(Lease lease, Task task, String uri) {
    return outcome(lease, task)
        .setImages(GeneratedImages.newBuilder().addImages(IMAGE.toBuilder().setUri(uri)))
        .build();
  }

  private static int put(ImageUpload place) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(place.getUrl()))
            .PUT(HttpRequest.BodyPublishers.ofByteArray(IMAGE.getData().toByteArray()));
    place.getHeadersMap().forEach(request::header);
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .build()
        .send(request.build(), HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }
}
