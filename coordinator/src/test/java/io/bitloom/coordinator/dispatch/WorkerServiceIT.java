package io.bitloom.coordinator.dispatch;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.GrpcErrors;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.CapacityUpdate;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Release;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.WorkRequest;
import io.bitloom.v1.WorkerModel;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class WorkerServiceIT {

  @TempDir Path directory;
  private TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
    coordinator.announce("fake", "0.06M", "0.25M");
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  /** A worker's side of the stream, message by message. */
  private final class Session {

    private final BlockingQueue<ConnectResponse> received = new LinkedBlockingQueue<>();
    private final BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
    private final StreamObserver<ConnectRequest> stream;
    private long requests;

    Session() {
      stream =
          WorkerServiceGrpc.newStub(coordinator.channel())
              .connect(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(ConnectResponse message) {
                      received.add(message);
                    }

                    @Override
                    public void onError(Throwable error) {
                      errors.add(error);
                    }

                    @Override
                    public void onCompleted() {}
                  });
    }

    static Hello.Builder hello(String workerId) {
      return Hello.newBuilder()
          .setWorkerId(workerId)
          .addModels(
              WorkerModel.newBuilder()
                  .setName("fake")
                  .setDigest("sha256:fake")
                  .addSizes("0.06M")
                  .addSizes("0.25M")
                  .addCapacities(
                      ScheduleCapacity.newBuilder().setSchedule("1.0_0.06M").setMaxImages(4)));
    }

    void send(Consumer<ConnectRequest.Builder> message) {
      ConnectRequest.Builder request = ConnectRequest.newBuilder();
      message.accept(request);
      stream.onNext(request.build());
    }

    Session welcome(String workerId, HeldLease... held) throws Exception {
      send(m -> m.setHello(hello(workerId).addAllHeldLeases(List.of(held))));
      welcomed = next();
      assertTrue(welcomed.hasWelcome(), welcomed.toString());
      return this;
    }

    private ConnectResponse welcomed;

    ConnectResponse next() throws Exception {
      ConnectResponse message = received.poll(10, TimeUnit.SECONDS);
      if (message == null) {
        throw new AssertionError("no message, errors: " + errors);
      }
      return message;
    }

    ErrorCode failure() throws Exception {
      return GrpcErrors.fromStatus(errors.poll(10, TimeUnit.SECONDS)).code();
    }

    Lease lease() throws Exception {
      requests++;
      send(m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(requests)));
      ConnectResponse message = next();
      assertTrue(message.hasLease(), message.toString());
      assertEquals(requests, message.getLease().getRequestNumber());
      return message.getLease();
    }

    OutcomeAckStatus report(Outcome outcome) throws Exception {
      send(m -> m.setOutcome(outcome));
      ConnectResponse message = next();
      assertTrue(message.hasOutcomeAck(), message.toString());
      OutcomeAck ack = message.getOutcomeAck();
      assertEquals(outcome.getTask(), ack.getTask());
      return ack.getStatus();
    }

    void cut() {
      stream.onError(new InterruptedException("cut"));
    }
  }

  private static final OutcomeAckStatus COMMITTED = OutcomeAckStatus.OUTCOME_ACK_STATUS_COMMITTED;
  private static final OutcomeAckStatus SUPERSEDED = OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED;

  private static Outcome.Builder outcome(Lease lease, Task task) {
    return Outcome.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setTask(task.getRef())
        .setBatchImages(lease.getTasksCount());
  }

  private static GeneratedImage image(String content) {
    ByteString bytes = ByteString.copyFromUtf8(content);
    return GeneratedImage.newBuilder()
        .setWidth(256)
        .setHeight(256)
        .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
        .setSha256(ImageName.sha256(bytes))
        .setData(bytes)
        .build();
  }

  private static Outcome drawn(Lease lease, Task task, String content) {
    return outcome(lease, task)
        .setImages(GeneratedImages.newBuilder().addImages(image(content)))
        .build();
  }

  private static HeldLease held(Lease lease) {
    return HeldLease.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .addAllTasks(lease.getTasksList().stream().map(Task::getRef).toList())
        .build();
  }

  private static List<Long> offsets(Lease lease) {
    return lease.getTasksList().stream().map(task -> task.getRef().getOffset()).toList();
  }

  // Batches

  @Test
  void aBatchIsOfOneBucketAndNotLargerThanTheWorkerCanTake() throws Exception {
    coordinator.submit(prompts(20, "1:1", "3:2"));
    Session worker = new Session().welcome("w");
    for (int i = 0; i < 3; i++) {
      Lease lease = worker.lease();
      int capacity = lease.getSchedule().equals("1.0_0.06M") ? 4 : 1;
      assertEquals(capacity, lease.getTasksCount());
      assertEquals("fake", lease.getModel());
      for (Task task : lease.getTasksList()) {
        assertEquals(1, task.getAttempt());
        assertEquals(lease.getSchedule().startsWith("1.0"), task.getRef().getOffset() % 2 == 0);
      }
    }
  }

  @Test
  void aRequestWaitsUntilThereIsWork() throws Exception {
    Session worker = new Session().welcome("w");
    worker.send(m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(1)));
    assertEquals(null, worker.received.poll(200, TimeUnit.MILLISECONDS));
    coordinator.submit(prompts(2));
    assertEquals(List.of(0L, 1L), offsets(worker.next().getLease()));
  }

  @Test
  void aWorkerThatLearnedWhatFitsGetsSmallerBatches() throws Exception {
    coordinator.submit(prompts(10));
    Session worker = new Session().welcome("w");
    assertEquals(4, worker.lease().getTasksCount());
    worker.send(
        m ->
            m.setCapacityUpdate(
                CapacityUpdate.newBuilder()
                    .setModel("fake")
                    .addCapacities(
                        ScheduleCapacity.newBuilder().setSchedule("1.0_0.06M").setMaxImages(2))));
    assertEquals(2, worker.lease().getTasksCount());
  }

  @Test
  void aHigherPriorityGoesFirstAcrossBuckets() throws Exception {
    coordinator.submit(prompts(8, "1:1"));
    Job urgent =
        coordinator
            .batch()
            .createJob(
                CreateJobRequest.newBuilder().setJob(Job.newBuilder().setPriority(9)).build())
            .getJob();
    coordinator.append(urgent.getName(), 0, prompts(3, "3:2"));
    coordinator.seal(urgent.getName());
    Session worker = new Session().welcome("w");
    for (int i = 0; i < 3; i++) {
      assertEquals("0.666_0.06M", worker.lease().getSchedule());
    }
    assertEquals("1.0_0.06M", worker.lease().getSchedule());
  }

  // Loss

  @Test
  void aWorkerThatIsCutMidBatchCostsNothingButTime() throws Exception {
    Job job = coordinator.submit(prompts(40, "1:1", "3:2"));
    FakeWorker lost =
        coordinator.worker(
            "lost", FakeWorker.Behaviour.DEFAULT.withBatch(8, Duration.ofMinutes(5)));
    awaitTrue("it works", () -> coordinator.job(job.getName()).getCounts().getRunning() > 0);
    lost.kill();
    coordinator.worker("next", FakeWorker.Behaviour.DEFAULT);
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(40, results.size());
    assertEquals(40, results.stream().map(PromptResult::getOffset).distinct().count());
    assertTrue(results.stream().allMatch(result -> result.hasImages()));
    assertTrue(results.stream().anyMatch(result -> result.getProvenance().getAttempt() == 2));
  }

  @Test
  void aWorkerThatHangsLosesItsLeasesAndItsLateOutcomesAreSuperseded() throws Exception {
    Job job = coordinator.submit(prompts(6));
    FakeWorker hanging =
        coordinator.worker(
            "hanging", FakeWorker.Behaviour.DEFAULT.withBatch(8, Duration.ofMillis(200)));
    hanging.stall();
    awaitTrue("it holds", () -> coordinator.job(job.getName()).getCounts().getRunning() == 6);
    coordinator.worker("next", FakeWorker.Behaviour.DEFAULT);
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(6, results.size());
    assertTrue(results.stream().allMatch(r -> r.getProvenance().getWorker().equals("next")));
    hanging.recover();
    awaitTrue(
        "it learns of its loss", () -> hanging.leasesLost() == 1 || hanging.superseded() == 6);
    assertEquals(results, coordinator.results(job.getName()));
  }

  @Test
  void aWorkerThatComesBackInTimeKeepsItsLease() throws Exception {
    Job job = coordinator.submit(prompts(3));
    Session first = new Session().welcome("w");
    Lease lease = first.lease();
    first.cut();
    Session second = new Session().welcome("w", held(lease));
    assertEquals(List.of(), second.welcomed.getWelcome().getLostLeasesList());
    for (Task task : lease.getTasksList()) {
      assertEquals(COMMITTED, second.report(drawn(lease, task, "image")));
    }
    assertEquals(3, coordinator.results(job.getName()).size());
    assertEquals(0, coordinator.job(job.getName()).getCounts().getRetried());
  }

  @Test
  void aWorkerThatComesBackLateIsToldWhatItLost() throws Exception {
    coordinator.submit(prompts(3));
    Session first = new Session().welcome("w");
    Lease lease = first.lease();
    first.cut();
    Session other = new Session().welcome("other");
    Lease again = other.lease();
    assertEquals(2, again.getTasks(0).getAttempt());
    Session late = new Session().welcome("w", held(lease));
    assertEquals(List.of(lease.getLeaseId()), late.welcomed.getWelcome().getLostLeasesList());
    assertEquals(SUPERSEDED, late.report(drawn(lease, lease.getTasks(0), "late")));
  }

  @Test
  void whatAReconnectedWorkerDoesNotNameGoesToOthersAtOnce() throws Exception {
    coordinator.submit(prompts(4));
    Session first = new Session().welcome("w");
    assertEquals(4, first.lease().getTasksCount());
    new Session().welcome("w");
    Lease again = new Session().welcome("other").lease();
    assertEquals(4, again.getTasksCount());
    assertEquals(1, again.getTasks(0).getAttempt());
  }

  @Test
  void aStaleFencingTokenChangesNothing() throws Exception {
    Job job = coordinator.submit(prompts(1));
    Session first = new Session().welcome("a");
    Lease stale = first.lease();
    // No heartbeat: the lease expires while the stream is open.
    Session second = new Session().welcome("b");
    Lease valid = second.lease();
    assertNotEquals(stale.getFencingToken(), valid.getFencingToken());
    assertEquals(SUPERSEDED, first.report(drawn(stale, stale.getTasks(0), "stale")));
    Outcome forged =
        drawn(stale, stale.getTasks(0), "forged").toBuilder()
            .setFencingToken(valid.getFencingToken())
            .build();
    assertEquals(SUPERSEDED, first.report(forged));
    assertEquals(COMMITTED, second.report(drawn(valid, valid.getTasks(0), "winner")));
    assertEquals(SUPERSEDED, first.report(drawn(stale, stale.getTasks(0), "stale")));
    PromptResult result = coordinator.results(job.getName()).get(0);
    assertEquals("winner", result.getImages().getImages(0).getData().toStringUtf8());
    assertEquals("b", result.getProvenance().getWorker());
  }

  @Test
  void anOutcomeThatIsReportedTwiceCountsOnce() throws Exception {
    Job job = coordinator.submit(prompts(1));
    Session worker = new Session().welcome("w");
    Lease lease = worker.lease();
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "one")));
    assertEquals(SUPERSEDED, worker.report(drawn(lease, lease.getTasks(0), "two")));
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(1, results.size());
    assertEquals("one", results.get(0).getImages().getImages(0).getData().toStringUtf8());
  }

  @Test
  void releasedPromptsGoToOthersWithoutCountingAsAnAttempt() throws Exception {
    Job job = coordinator.submit(prompts(4));
    Session first = new Session().welcome("a");
    Lease lease = first.lease();
    first.send(
        m ->
            m.setRelease(
                Release.newBuilder()
                    .setLeaseId(lease.getLeaseId())
                    .setFencingToken(lease.getFencingToken())
                    .addTasks(lease.getTasks(1).getRef())
                    .addTasks(lease.getTasks(3).getRef())));
    Lease again = new Session().welcome("b").lease();
    assertEquals(List.of(1L, 3L), offsets(again));
    assertEquals(1, again.getTasks(0).getAttempt());
    assertEquals(COMMITTED, first.report(drawn(lease, lease.getTasks(0), "x")));
    assertEquals(SUPERSEDED, first.report(drawn(lease, lease.getTasks(1), "x")));
    assertEquals(1, coordinator.job(job.getName()).getCounts().getSucceeded());
  }

  @Test
  void heartbeatsKeepALeaseAndUnknownOnesAreLost() throws Exception {
    coordinator.submit(prompts(1));
    Session worker = new Session().welcome("w");
    Lease lease = worker.lease();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2600);
    while (System.nanoTime() < end) {
      worker.send(m -> m.setHeartbeat(Heartbeat.newBuilder().addLeases(held(lease))));
      Thread.sleep(200);
    }
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "in time")));
    worker.send(m -> m.setHeartbeat(Heartbeat.newBuilder().addLeases(held(lease))));
    assertEquals(lease.getLeaseId(), worker.next().getLeaseLost().getLeaseId());
  }

  // Failures

  @Test
  void aFailureIsRetriedUntilItsLastAttemptAndAnUnmendableOneIsNot() throws Exception {
    Job job = coordinator.submit(prompts(2));
    Session worker = new Session().welcome("w");
    for (int attempt = 1; attempt <= 3; attempt++) {
      Lease lease = worker.lease();
      for (Task task : lease.getTasksList()) {
        assertEquals(attempt, task.getAttempt());
        boolean mendable = task.getRef().getOffset() == 0;
        assertEquals(
            COMMITTED,
            worker.report(
                outcome(lease, task)
                    .setFailure(
                        TaskFailure.newBuilder()
                            .setReason(mendable ? "OUT_OF_MEMORY" : "PROMPT_REJECTED")
                            .setMessage("attempt " + attempt)
                            .setRetryable(mendable))
                    .build()));
      }
    }
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals("PROMPT_REJECTED", results.get(0).getFailure().getReason());
    assertEquals(1, results.get(0).getFailure().getAttempts());
    assertEquals("OUT_OF_MEMORY", results.get(1).getFailure().getReason());
    assertEquals("attempt 3", results.get(1).getFailure().getMessage());
    assertEquals(3, results.get(1).getFailure().getAttempts());
    assertEquals(JobState.JOB_STATE_FAILED, coordinator.job(job.getName()).getState());
  }

  static Stream<Arguments> badImages() {
    return Stream.of(
        Arguments.of("no image", GeneratedImages.getDefaultInstance()),
        Arguments.of(
            "two images",
            GeneratedImages.newBuilder()
                .addImages(image("a"))
                .addImages(image("b").toBuilder().setIndex(1))
                .build()),
        Arguments.of("wrong size", one(image("a").toBuilder().setWidth(512))),
        Arguments.of("wrong index", one(image("a").toBuilder().setIndex(3))),
        Arguments.of(
            "wrong format", one(image("a").toBuilder().setFormat(ImageFormat.IMAGE_FORMAT_JPEG))),
        Arguments.of(
            "wrong digest", one(image("a").toBuilder().setData(ByteString.copyFromUtf8("b")))),
        Arguments.of("no bytes", one(image("a").toBuilder().clearData())),
        Arguments.of("a name", one(image("a").toBuilder().setUri("../../etc/passwd"))));
  }

  private static GeneratedImages one(GeneratedImage.Builder image) {
    return GeneratedImages.newBuilder().addImages(image).build();
  }

  @ParameterizedTest
  @MethodSource("badImages")
  void imagesThatAreNotWhatWasAskedForAreAFailure(String what, GeneratedImages images)
      throws Exception {
    Job job = coordinator.submit(prompts(1));
    Session worker = new Session().welcome("w");
    Lease lease = worker.lease();
    assertEquals(
        COMMITTED, worker.report(outcome(lease, lease.getTasks(0)).setImages(images).build()));
    Lease again = worker.lease();
    assertEquals(2, again.getTasks(0).getAttempt(), what);
    assertEquals(COMMITTED, worker.report(drawn(again, again.getTasks(0), "good")));
    assertTrue(coordinator.results(job.getName()).get(0).hasImages());
  }

  // Rules of the protocol

  static Stream<Arguments> badFirstMessages() {
    return Stream.of(
        first(
            ErrorCode.PROTOCOL_VIOLATION,
            m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(1))),
        first(ErrorCode.PROTOCOL_VIOLATION, m -> {}),
        first(ErrorCode.INVALID_FIELD, m -> m.setHello(Session.hello(""))),
        first(ErrorCode.INVALID_FIELD, m -> m.setHello(Session.hello("w").clearModels())),
        first(ErrorCode.INVALID_FIELD, m -> m.setHello(Session.hello("a\nb"))),
        first(
            ErrorCode.INVALID_FIELD,
            m ->
                m.setHello(
                    Session.hello("w")
                        .addModels(WorkerModel.newBuilder().setName("x").addSizes("9M")))),
        first(
            ErrorCode.INVALID_FIELD,
            m ->
                m.setHello(
                    Session.hello("w")
                        .addModels(
                            WorkerModel.newBuilder()
                                .setName("x")
                                .addSizes("1M")
                                .addCapacities(
                                    ScheduleCapacity.newBuilder()
                                        .setSchedule("1.0_1M")
                                        .setMaxImages(0))))));
  }

  private static Arguments first(ErrorCode code, Consumer<ConnectRequest.Builder> message) {
    return Arguments.of(code, message);
  }

  @ParameterizedTest
  @MethodSource("badFirstMessages")
  void aWorkerThatIntroducesItselfBadlyIsRefused(
      ErrorCode code, Consumer<ConnectRequest.Builder> message) throws Exception {
    Session worker = new Session();
    worker.send(message);
    assertEquals(code, worker.failure());
  }

  static Stream<Consumer<ConnectRequest.Builder>> badLaterMessages() {
    return Stream.of(
        m -> m.setHello(Session.hello("w")),
        m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(0)),
        m -> m.setOutcome(Outcome.newBuilder().setLeaseId("x")),
        m ->
            m.setOutcome(
                Outcome.newBuilder()
                    .setTask(TaskRef.newBuilder().setJob("../x"))
                    .setFailure(TaskFailure.newBuilder().setReason("X"))),
        m -> m.setCapacityUpdate(CapacityUpdate.newBuilder().setModel("other")));
  }

  @ParameterizedTest
  @MethodSource("badLaterMessages")
  void aWorkerThatBreaksTheRulesIsCutOffAndLosesNoPrompt(Consumer<ConnectRequest.Builder> message)
      throws Exception {
    Job job = coordinator.submit(prompts(4));
    Session worker = new Session().welcome("w");
    worker.lease();
    worker.send(message);
    assertTrue(
        List.of(ErrorCode.PROTOCOL_VIOLATION, ErrorCode.INVALID_FIELD).contains(worker.failure()));
    coordinator.worker("good", FakeWorker.Behaviour.DEFAULT);
    assertEquals(4, coordinator.results(job.getName()).size());
  }

  @Test
  void aWorkerWithTroublesGetsEveryPromptDoneOnce() throws Exception {
    Job job = coordinator.submit(prompts(200, "1:1", "3:2", "2:3", "16:9"));
    for (int i = 0; i < 3; i++) {
      coordinator.worker(
          "w-" + i,
          FakeWorker.Behaviour.DEFAULT
              .withBatch(8, Duration.ofMillis(20))
              .withTroubles(0.01, 0.03, i));
    }
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(200, results.size());
    assertEquals(200, results.stream().map(PromptResult::getOffset).distinct().count());
    Job done = coordinator.job(job.getName());
    assertEquals(
        200, done.getCounts().getSucceeded() + done.getCounts().getFailed(), done.toString());
    assertEquals(0, done.getCounts().getRunning());
  }
}
