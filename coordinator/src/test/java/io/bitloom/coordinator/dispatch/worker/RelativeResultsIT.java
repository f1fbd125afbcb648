package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.RelativeLease.failure;
import static io.bitloom.coordinator.dispatch.worker.RelativeLease.image;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.dispatch.worker.RelativeLease.Verdicts;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.ImageUpload;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Provenance;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.UploadRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What leases of form 2 leave behind: results, images, and nothing else. */
class RelativeResultsIT {

  private static final Bucket BUCKET = new Bucket("fake", "1.0_0.06M");

  /** Whatever is left over does not go away by itself while a test runs. */
  private static final LeaseConfig LONG_LEASES =
      new LeaseConfig(
          java.time.Duration.ofHours(1),
          java.time.Duration.ofSeconds(2),
          java.time.Duration.ofHours(1),
          5);

  @TempDir private Path directory;

  // Results

  @Test
  void everyResultSaysHowItsPromptWasDrawn() throws Exception {
    try (TestCoordinator coordinator = TestCoordinator.start(directory)) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.submit(prompts(4, "1:1"));
      ScriptedWorker worker = connect(coordinator);
      RelativeLease lease = worker.relativeLease();
      StageTimes times = times(1);
      DrawnText text = DrawnText.newBuilder().setText("rewritten").setRewriter("writer").build();
      worker.report(
          lease
              .outcomes(image(2, "a"), image(0, "b").toBuilder().setDrawnText(text).build())
              .toBuilder()
              .setBatchImages(3)
              .setTimes(times)
              .build());
      worker.report(
          lease.outcomes(failure(1, false), failure(3, true)).toBuilder()
              .setBatchImages(2)
              .setTimes(times(7))
              .build());
      RelativeLease again = worker.relativeLease();
      worker.report(again.drawn(0).toBuilder().setBatchImages(1).build());

      Map<Long, Provenance> drawn = new HashMap<>();
      for (PromptResult result : coordinator.results(job.getName())) {
        Provenance provenance = result.getProvenance();
        assertTrue(provenance.hasCommitTime());
        assertEquals(
            "prompt " + result.getOffset(), provenance.getPrompt().getPrompt(), result.toString());
        drawn.put(
            result.getOffset(), provenance.toBuilder().clearCommitTime().clearPrompt().build());
      }
      assertEquals(
          Map.of(
              lease.refs().get(2).getOffset(),
              provenance(1, 3).setTimes(times).build(),
              lease.refs().get(0).getOffset(),
              provenance(1, 3).setTimes(times).setDrawnText(text).build(),
              lease.refs().get(1).getOffset(),
              provenance(1, 2).setTimes(times(7)).build(),
              lease.refs().get(3).getOffset(),
              provenance(2, 1).setTimes(StageTimes.getDefaultInstance()).build()),
          drawn);
    }
  }

  private static StageTimes times(int seconds) {
    return StageTimes.newBuilder()
        .setText(Duration.newBuilder().setNanos(5))
        .setTransformer(Duration.newBuilder().setSeconds(seconds))
        .setEncode(Duration.newBuilder().setSeconds(seconds + 1))
        .build();
  }

  private static Provenance.Builder provenance(int attempt, int batchImages) {
    return Provenance.newBuilder()
        .setModel("fake")
        .setModelDigest("sha256:fake")
        .setSchedule("1.0_0.06M")
        .setWorker("w")
        .setAttempt(attempt)
        .setBatchImages(batchImages);
  }

  // Images

  @Test
  void imagesThatComeAfterTheirJobWasDeletedAreDeletedToo() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCoordinator coordinator =
            TestCoordinator.start(directory, s3.results(""), Optional.empty())) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.submit(prompts(1, "1:1"));
      ScriptedWorker worker = connect(coordinator);
      RelativeLease lease = worker.relativeLease();
      GeneratedImage late = ScriptedWorker.image("late").toBuilder().setSizeBytes(4).build();
      worker.send(
          m ->
              m.setUploadRequest(
                  UploadRequest.newBuilder()
                      .setLeaseId(lease.lease().getLeaseId())
                      .setFencingToken(lease.lease().getFencingToken())
                      .setLeaseSecret(lease.lease().getSecret())
                      .setTask(lease.refs().get(0))
                      .addImages(late.toBuilder().clearData())));
      ImageUpload place = worker.next().getUploadGrant().getUploads(0);

      coordinator.cancel(job.getName());
      assertEquals(lease.refs(), worker.next().getLeaseLost().getTasksList());
      coordinator.results(job.getName());
      coordinator.batch().deleteJob(DeleteJobRequest.newBuilder().setName(job.getName()).build());
      put(place, late);
      assertEquals(1, s3.keys("").size());
      var outcome = image(0, "late").toBuilder();
      outcome.getImagesBuilder().setImages(0, late.toBuilder().setUri(place.getUri()));
      assertEquals(Verdicts.of(List.of(), 0), worker.report(lease.outcomes(outcome.build())));
      awaitTrue("nothing is left over", () -> s3.keys("").isEmpty());
    }
  }

  private static void put(ImageUpload place, GeneratedImage image) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(place.getUrl()))
            .PUT(HttpRequest.BodyPublishers.ofByteArray(image.getData().toByteArray()));
    place.getHeadersMap().forEach(request::header);
    HttpResponse<Void> answer =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .build()
            .send(request.build(), HttpResponse.BodyHandlers.discarding());
    assertEquals(200, answer.statusCode());
  }

  // Leases

  /**
   * At once, or after a reconnect when the lease would expire: nobody knows then whether its worker
   * ever got what it does not name.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLeaseThatIsOverLeavesNothingInRedis(boolean reconnects) throws Exception {
    String namespace = "test-" + UUID.randomUUID();
    try (RedisConnection redis = RedisConnection.connect(TestRedis.uri(), namespace);
        TestCoordinator coordinator =
            TestCoordinator.start(
                directory,
                TestRedis.uri(),
                namespace,
                reconnects ? TestCoordinator.QUICK_LEASES : LONG_LEASES)) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.submit(prompts(4, "1:1"));
      Job other = coordinator.newJob();
      coordinator.append(other.getName(), 0, prompts(1, "1:1"));
      Leftovers left = new Leftovers(redis, new Keys(namespace), job);
      ScriptedWorker worker = connect(coordinator);
      RelativeLease lease = worker.relativeLease();
      assertEquals(4, lease.refs().size());
      assertFalse(left.nothing());

      worker.report(lease.drawn(3));
      if (reconnects) {
        worker.cut();
        worker =
            new ScriptedWorker(coordinator.channel()).welcomeRelative("w", lease.held(0, 1, 2));
      }
      worker.report(lease.outcomes(failure(1, true)));
      worker.send(m -> m.setRelease(lease.release(2)));
      worker.report(lease.drawn(0));
      awaitTrue("the first lease left nothing", left::nothing);

      for (int done = 0; done < 3; ) { // the third is of the other job
        RelativeLease again = worker.relativeLease();
        for (int index = 0; index < again.refs().size(); index++, done++) {
          assertEquals(
              again.refs().get(index).equals(lease.refs().get(1)) ? 2 : 1,
              LeasedTasks.of(again.lease()).get(index).getAttempt());
          worker.report(again.drawn(index));
        }
      }
      coordinator.results(job.getName());
      assertEquals(JobState.JOB_STATE_SUCCEEDED, coordinator.job(job.getName()).getState());
      awaitTrue("nothing is left", left::nothing);
    }
  }

  /** What a queue keeps of leases. */
  private record Leftovers(RedisConnection redis, Keys keys, Job job) {

    boolean nothing() {
      String[] bucket = keys.bucket(BUCKET);
      String running = keys.job(job.getName().substring("jobs/".length()))[4];
      String[] kept = {bucket[5], bucket[6], running};
      try {
        return redis.call(r -> r.exists(kept)).toCompletableFuture().get(1, TimeUnit.MINUTES) == 0;
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  private static ScriptedWorker connect(TestCoordinator coordinator) throws Exception {
    return new ScriptedWorker(coordinator.channel()).welcomeRelative("w");
  }
}
