package io.bitloom.coordinator.dispatch;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.ScriptedWorker.drawn;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Progress;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What workers say of batches reaches those who ask for it, and what it teaches is kept. */
class ProgressFeedIT extends DispatchFixture {

  /** Keeps what it is told. */
  private static final class Watcher implements StreamObserver<WatchJobResponse> {
    private final Queue<WatchJobResponse> told = new ConcurrentLinkedQueue<>();

    @Override
    public void onNext(WatchJobResponse response) {
      told.add(response);
    }

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onCompleted() {}

    private boolean knows(Predicate<WatchJobResponse> what) {
      return told.stream().anyMatch(what);
    }
  }

  @Test
  void noPreviewsAreMadeOfTheJobsOfOthersInTheSameBatch() throws Exception {
    Job watched = coordinator.submit(prompts(1));
    Job other = coordinator.submit(prompts(1));
    watch(WatchJobRequest.newBuilder().setName(watched.getName()).setPreviewPixels(64));

    Lease lease = connect("w").lease();
    assertEquals(2, lease.getTasksCount(), other.getName() + " is not in the batch");
    assertEquals(
        List.of(watched.getName()),
        lease.getWatch().getPreviewTasksList().stream().map(TaskRef::getJob).toList());
  }

  private Watcher watch(WatchJobRequest.Builder request) throws InterruptedException {
    Watcher watcher = new Watcher();
    coordinator.batchAsync().watchJob(request.build(), watcher);
    awaitTrue("it watches", () -> watcher.knows(WatchJobResponse::hasJob));
    return watcher;
  }

  @Test
  void whoAsksForItSeesScalesAndPreviewsOfItsOwnJob() throws Exception {
    Job job = coordinator.submit(prompts(2));
    Watcher curious =
        watch(
            WatchJobRequest.newBuilder()
                .setName(job.getName())
                .setProgress(true)
                .setPreviewPixels(64));
    Watcher calm = watch(WatchJobRequest.newBuilder().setName(job.getName()));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    assertTrue(lease.getWatch().getEveryScale());
    assertEquals(64, lease.getWatch().getPreviewPixels());
    worker.send(
        m ->
            m.setProgress(
                Progress.newBuilder().setLeaseId(lease.getLeaseId()).setScale(3).setScales(7)));
    worker.send(
        m ->
            m.setPreview(
                Preview.newBuilder()
                    .setLeaseId(lease.getLeaseId())
                    .setTask(lease.getTasks(1).getRef())
                    .setScale(3)
                    .setScales(7)
                    .setJpeg(ByteString.copyFromUtf8("picture"))));
    awaitTrue("preview told", () -> curious.knows(WatchJobResponse::hasPreview));
    assertTrue(
        curious.knows(
            told ->
                told.getProgress().getScale() == 3
                    && told.getProgress().getWorker().equals("w")
                    && told.getProgress().getOffsetsList().equals(List.of(0L, 1L))));
    assertTrue(
        curious.knows(
            told ->
                told.getPreview().getOffset() == 1
                    && told.getPreview().getJpeg().toStringUtf8().equals("picture")));
    assertFalse(calm.knows(told -> told.hasPreview() || told.hasProgress()));
    ByteString picture = ByteString.copyFrom(new byte[20_000]);
    for (int i = 0; i < 64; i++) {
      int index = i;
      worker.send(
          m ->
              m.setPreview(
                  Preview.newBuilder()
                      .setLeaseId(lease.getLeaseId())
                      .setTask(lease.getTasks(0).getRef())
                      .setIndex(index)
                      .setJpeg(picture)));
    }
    awaitTrue(
        "all images of a large batch are told",
        () ->
            curious.told.stream().filter(it -> it.getPreview().getJpeg().equals(picture)).count()
                == 64);

    Job other = coordinator.submit(prompts(1));
    assertFalse(worker.lease().hasWatch(), "nobody watches " + other.getName());
  }

  @Test
  void measuredSecondsLeadToEstimatesOfJobsAndOfPromptsThatWereNotSubmitted() throws Exception {
    Job job = coordinator.submit(prompts(4));
    ScriptedWorker worker = connect("w");
    assertFalse(estimate(prompts(10)).hasGpuSeconds());
    Lease lease = worker.lease();
    StageTimes times =
        StageTimes.newBuilder()
            .setTransformer(Duration.newBuilder().setSeconds(6))
            .setDecode(Duration.newBuilder().setSeconds(2))
            .build();
    for (var task : lease.getTasksList()) {
      assertEquals(
          OutcomeAckStatus.OUTCOME_ACK_STATUS_COMMITTED,
          worker.report(
              drawn(lease, task, "image").toBuilder().setTimes(times).setBatchImages(4).build()));
    }
    assertEquals(job.getName(), coordinator.job(job.getName()).getName());

    EstimatePromptsResponse estimate =
        estimate(
            List.of(
                Prompt.newBuilder().setPrompt("a").setSize("0.06M").setNumImages(5).build(),
                Prompt.newBuilder().setPrompt("b").setSize("0.25M").build(),
                Prompt.newBuilder().setPrompt("").setCustomId("bad").build(),
                Prompt.newBuilder().setPrompt("c").setSize("1M").build()));
    assertEquals(2, estimate.getPrompts());
    assertEquals(6, estimate.getImages());
    assertEquals(2, estimate.getInvalidPrompts());
    assertEquals(2, estimate.getViolations(0).getOffset());
    assertEquals("bad", estimate.getViolations(0).getCustomId());
    assertEquals("size", estimate.getViolations(1).getField());
    assertEquals("fake", estimate.getModel());
    assertEquals("1.0_0.06M", estimate.getSchedules(0).getSchedule());
    assertTrue(estimate.getSchedules(0).getMeasured());
    assertEquals(10, estimate.getSchedules(0).getGpuSeconds(), 1e-6);
    assertFalse(estimate.getSchedules(1).getMeasured());
    assertTrue(estimate.getSchedules(1).getGpuSeconds() > 2, "a larger schedule takes longer");

    Job waiting = coordinator.submit(prompts(100));
    Job behind = coordinator.submit(prompts(5));
    Job seen = coordinator.job(waiting.getName());
    assertEquals(0, seen.getQueuePosition());
    assertTrue(coordinator.job(behind.getName()).getQueuePosition() > 0);
    long seconds = seen.getEstimatedEndTime().getSeconds() - System.currentTimeMillis() / 1000;
    assertTrue(seconds > 180 && seconds < 240, "200 s for its own, 10 for the other: " + seconds);

    GetClusterResponse cluster =
        ClusterServiceGrpc.newBlockingStub(coordinator.channel())
            .getCluster(GetClusterRequest.getDefaultInstance());
    assertEquals("w", cluster.getWorkers(0).getId());
    assertEquals("1:1", cluster.getBuckets(0).getShape());
    assertEquals("0.06M", cluster.getBuckets(0).getSize());
    assertEquals(105, cluster.getBuckets(0).getPrompts());
    assertEquals(2, cluster.getBuckets(0).getSecondsPerImage(), 1e-6);
  }

  private EstimatePromptsResponse estimate(List<Prompt> prompts) throws Exception {
    CompletableFuture<EstimatePromptsResponse> answer = new CompletableFuture<>();
    StreamObserver<EstimatePromptsRequest> call =
        BatchServiceGrpc.newStub(coordinator.channel())
            .estimatePrompts(
                new StreamObserver<>() {
                  @Override
                  public void onNext(EstimatePromptsResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable error) {
                    answer.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    call.onNext(
        EstimatePromptsRequest.newBuilder()
            .setJob(Job.newBuilder().setModel("fake"))
            .addAllPrompts(prompts)
            .build());
    call.onCompleted();
    return answer.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }
}
