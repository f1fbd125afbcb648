package io.bitloom.coordinator.scaler;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.externalscaler.ExternalScalerGrpc;
import io.bitloom.externalscaler.ExternalScalerGrpc.ExternalScalerBlockingStub;
import io.bitloom.externalscaler.GetMetricsRequest;
import io.bitloom.externalscaler.IsActiveResponse;
import io.bitloom.externalscaler.MetricSpec;
import io.bitloom.externalscaler.ScaledObjectRef;
import io.bitloom.v1.BucketStatus;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ModelPool;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.ResumeJobRequest;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a coordinator answers to KEDA. */
class ExternalScalerIT {

  /** A worker that says how long it takes and has drawn what it gets before anybody looks. */
  private static final FakeBehaviour QUICK =
      FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(5));

  @TempDir Path directory;
  private TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  private static ExternalScalerBlockingStub scaler(TestCoordinator of) {
    return ExternalScalerGrpc.newBlockingStub(of.calls())
        .withDeadlineAfter(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static ScaledObjectRef what(Map<String, String> metadata) {
    return ScaledObjectRef.newBuilder()
        .setName("workers")
        .setNamespace("bitloom")
        .putScalerMetadata("scalerAddress", "bitloom:7700")
        .putAllScalerMetadata(metadata)
        .build();
  }

  private static double wanted(TestCoordinator of, Map<String, String> metadata) {
    return scaler(of)
        .getMetrics(
            GetMetricsRequest.newBuilder()
                .setScaledObjectRef(what(metadata))
                .setMetricName(ExternalScalerApi.METRIC)
                .build())
        .getMetricValues(0)
        .getMetricValueFloat();
  }

  private boolean active(Map<String, String> metadata) {
    return scaler(coordinator).isActive(what(metadata)).getResult();
  }

  /** Lets a pool draw one prompt, so that its speed is known, and go. */
  private void measure(String pool, String model, double secondsPerImage) throws Exception {
    FakeBehaviour behaviour = QUICK.withModel(model, "0.06M").withPool(pool, secondsPerImage);
    try (FakeWorker worker = coordinator.worker("of-" + pool, behaviour)) {
      Job job = submit(model, 1);
      coordinator.results(job.getName());
    }
    awaitTrue("the worker left", () -> workersOf(model).isEmpty());
    awaitTrue("its lease has ended", () -> leased(model) == 0);
  }

  private long leased(String model) {
    return ClusterServiceGrpc.newBlockingStub(coordinator.calls())
        .withDeadlineAfter(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .getCluster(GetClusterRequest.getDefaultInstance())
        .getBucketsList()
        .stream()
        .filter(bucket -> bucket.getModel().equals(model))
        .mapToLong(BucketStatus::getLeased)
        .sum();
  }

  private List<ModelPool> workersOf(String model) {
    return coordinator
        .batch()
        .listModels(ListModelsRequest.getDefaultInstance())
        .getModelsList()
        .stream()
        .filter(known -> known.getName().equals(model))
        .flatMap(known -> known.getPoolsList().stream())
        .toList();
  }

  private Job submit(String model, int prompts) {
    Job job =
        coordinator
            .batch()
            .createJob(
                CreateJobRequest.newBuilder().setJob(Job.newBuilder().setModel(model)).build())
            .getJob();
    coordinator.append(job.getName(), 0, prompts(prompts, "1:1"));
    return coordinator.seal(job.getName());
  }

  private void pause(Job job) {
    coordinator.batch().pauseJob(PauseJobRequest.newBuilder().setName(job.getName()).build());
  }

  private void resume(Job job) {
    coordinator.batch().resumeJob(ResumeJobRequest.newBuilder().setName(job.getName()).build());
  }

  @Test
  void nothingIsWantedWhereNothingWaits() {
    assertFalse(active(Map.of()));
    assertEquals(0, wanted(coordinator, Map.of()));
    MetricSpec spec = scaler(coordinator).getMetricSpec(what(Map.of())).getMetricSpecsList().get(0);
    assertEquals(ExternalScalerApi.METRIC, spec.getMetricName());
    assertEquals(1, spec.getTargetSizeFloat());
    assertEquals(1, spec.getTargetSize());
  }

  @Test
  void asManyWorkersAreWantedAsDrawABacklogInTime() throws Exception {
    measure("gpu", "fake", 23.4);
    submit("fake", 100);
    // 2340 GPU-seconds, of which a worker draws 1410 in 30 minutes less its start and a margin.
    assertEquals(2, wanted(coordinator, Map.of("pool", "gpu")));
    assertTrue(active(Map.of("pool", "gpu")));
    assertEquals(
        6, wanted(coordinator, Map.of("pool", "gpu", "sizes", "0.06M,1M", "emptyIn", "13m")));
    assertEquals(0, wanted(coordinator, Map.of("pool", "gpu", "sizes", "1M")));
    assertEquals(
        3,
        wanted(
            coordinator,
            Map.of("pool", "gpu", "models", "fa*", "maxWorkers", "3", "emptyIn", "8m")));
  }

  @Test
  void aBacklogThatNobodyHasMeasuredWantsOneWorker() throws Exception {
    coordinator.announce("fake", "0.06M");
    submit("fake", 100);
    assertEquals(1, wanted(coordinator, Map.of("pool", "new")));
  }

  @Test
  void promptsOfPausedJobsWantNoWorkers() throws Exception {
    measure("gpu", "fake", 23.4);
    Job job = submit("fake", 100);
    pause(job);
    assertEquals(0, wanted(coordinator, Map.of("pool", "gpu", "idle", "0s")));
    assertFalse(active(Map.of("pool", "gpu", "idle", "0s")));
    resume(job);
    awaitTrue("workers are wanted", () -> wanted(coordinator, Map.of("pool", "gpu")) == 2);
  }

  @Test
  void eachPoolHasItsOwnModelsAndSpeeds() throws Exception {
    measure("slow", "large", 46.8);
    measure("fast", "small", 23.4);
    measure("faster", "large", 23.4);
    submit("large", 100);
    assertEquals(4, wanted(coordinator, Map.of("pool", "slow")));
    assertEquals(2, wanted(coordinator, Map.of("pool", "faster")));
    assertEquals(0, wanted(coordinator, Map.of("pool", "fast")));
    FakeBehaviour stays = QUICK.withModel("small", "0.06M").withPool("fast", 0);
    try (FakeWorker worker = coordinator.worker("stays", stays)) {
      assertEquals(
          List.of(ModelPool.newBuilder().setPool("fast").setWorkers(1).build()),
          workersOf("small"));
    }
  }

  @Test
  void aWatchTellsAtOnceHowItIsAndThenOfWorkThatComes() throws Exception {
    coordinator.announce("fake", "0.06M");
    BlockingQueue<Object> told = new LinkedBlockingQueue<>();
    ExternalScalerGrpc.newStub(coordinator.calls())
        .streamIsActive(what(Map.of("idle", "0s")), into(told));
    assertEquals(answer(false), take(told));
    Job job = submit("fake", 10);
    assertEquals(answer(true), take(told));
    // Nobody has leased of the bucket since, so that it is ready all the while.
    coordinator.cancel(job.getName());
    assertEquals(answer(false), take(told));
    submit("fake", 10);
    assertEquals(answer(true), take(told));
    coordinator.stop();
    assertEquals(ErrorCode.SHUTTING_DOWN, GrpcErrors.fromStatus((Throwable) take(told)).code());
  }

  private static IsActiveResponse answer(boolean active) {
    return IsActiveResponse.newBuilder().setResult(active).build();
  }

  private static Object take(BlockingQueue<Object> told) throws InterruptedException {
    Object next = told.poll(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    return next == null ? "nothing" : next;
  }

  private static StreamObserver<IsActiveResponse> into(BlockingQueue<Object> told) {
    return new StreamObserver<>() {
      @Override
      public void onNext(IsActiveResponse response) {
        told.add(response);
      }

      @Override
      public void onError(Throwable error) {
        told.add(error);
      }

      @Override
      public void onCompleted() {
        told.add("the end");
      }
    };
  }

  @Test
  void coordinatorsSayTheSameAndOneThatStartsGoesOn() throws Exception {
    Map<String, String> metadata = Map.of("pool", "gpu", "idle", "1h");
    measure("gpu", "fake", 46.8);
    Job job = submit("fake", 100);
    assertEquals(4, wanted(coordinator, metadata));
    try (TestCoordinator other = coordinator.second()) {
      assertEquals(4, wanted(other, metadata));
      coordinator.cancel(job.getName());
      // The work is gone, and the workers are kept for an hour: that is not known from the queue.
      assertEquals(4, wanted(other, metadata));
      assertEquals(4, wanted(coordinator, metadata));
      coordinator.crash();
      try (TestCoordinator again = other.second()) {
        assertEquals(4, wanted(again, metadata));
        assertTrue(scaler(again).isActive(what(metadata)).getResult());
      }
    }
  }

  @Test
  void metadataThatAreWrongAreNamed() {
    StatusRuntimeException refusal =
        assertThrows(StatusRuntimeException.class, () -> active(Map.of("emptyIn", "soon")));
    assertEquals(Status.Code.INVALID_ARGUMENT, refusal.getStatus().getCode());
    BitloomException error = GrpcErrors.fromStatus(refusal);
    assertEquals("scalerMetadata.emptyIn", error.violations().get(0).field());
    assertEquals("soon", error.violations().get(0).value());
  }

  @Test
  void fieldsThatANewerKedaAddsAreIgnored() {
    ScaledObjectRef newer =
        what(Map.of()).toBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(9, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build())
            .build();
    assertFalse(scaler(coordinator).isActive(newer).getResult());
  }

  @Test
  void anotherMetricIsRefusedAndANewerCallIsNotImplemented() {
    StatusRuntimeException other =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                scaler(coordinator)
                    .getMetrics(
                        GetMetricsRequest.newBuilder()
                            .setScaledObjectRef(what(Map.of()))
                            .setMetricName("queue")
                            .build()));
    assertEquals(Status.Code.INVALID_ARGUMENT, other.getStatus().getCode());
    MethodDescriptor<ScaledObjectRef, IsActiveResponse> newer =
        ExternalScalerGrpc.getIsActiveMethod().toBuilder()
            .setFullMethodName("externalscaler.ExternalScaler/StreamMetricSpec")
            .build();
    StatusRuntimeException absent =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                ClientCalls.blockingUnaryCall(
                    coordinator.calls(), newer, CallOptions.DEFAULT, what(Map.of())));
    assertEquals(Status.Code.UNIMPLEMENTED, absent.getStatus().getCode());
  }

  @Test
  void metricsTellOfThePoolsThatAreAskedFor() throws Exception {
    measure("gpu", "fake", 23.4);
    submit("fake", 100);
    assertEquals(2, wanted(coordinator, Map.of("pool", "gpu", "pricePerGpuHour", "2.5")));
    FakeBehaviour slow = QUICK.withBatch(1, Duration.ofMinutes(5)).withPool("gpu", 0);
    try (FakeWorker worker = coordinator.worker("busy", slow)) {
      awaitTrue(
          "it is counted",
          () -> {
            wanted(coordinator, Map.of("pool", "gpu", "pricePerGpuHour", "2.5"));
            return metric("bitloom_pool_workers") == 1;
          });
      assertEquals(2, metric("bitloom_pool_workers_wanted"));
      assertEquals(2.5, metric("bitloom_pool_price"));
      assertEquals(2340, metric("bitloom_pool_backlog_seconds"), 1e-6);
    }
  }

  private double metric(String name) {
    Matcher line =
        Pattern.compile("(?m)^" + name + "\\{pool=\"gpu\"} (.*)$").matcher(coordinator.metrics());
    return line.find() ? Double.parseDouble(line.group(1)) : Double.NaN;
  }
}
