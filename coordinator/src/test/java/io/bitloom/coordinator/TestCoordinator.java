package io.bitloom.coordinator;

import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.ConnectionsConfig;
import io.bitloom.coordinator.config.CoordinatorConfig;
import io.bitloom.coordinator.config.DirectoryConfig;
import io.bitloom.coordinator.config.DispatchConfig;
import io.bitloom.coordinator.config.InputConfig;
import io.bitloom.coordinator.config.JobsConfig;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.coordinator.config.RedisConfig;
import io.bitloom.coordinator.config.ResultsConfig;
import io.bitloom.coordinator.config.S3Server;
import io.bitloom.coordinator.config.WebhookConfig;
import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.SealJobRequest;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** A coordinator on real sockets and the Redis of the tests, and short words for its clients. */
public final class TestCoordinator implements AutoCloseable {

  /** Only a test that fails waits for so long, on a machine of whatever speed. */
  public static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final Duration LOOK_AGAIN = Duration.ofMillis(10);

  public static final LeaseConfig QUICK_LEASES =
      new LeaseConfig(Duration.ofSeconds(6), Duration.ofMillis(300), Duration.ofSeconds(2), 3);

  private static final InputConfig NO_INPUTS =
      new InputConfig(List.of(), 1 << 30, new S3Server(Optional.empty(), Optional.empty(), false));

  private final CoordinatorConfig config;
  private final Coordinator coordinator;
  private final ManagedChannel channel;
  private final Channel calls;
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<FakeWorker> workers = new ArrayList<>();

  private TestCoordinator(CoordinatorConfig config) throws IOException {
    this(config, Tracing.OFF);
  }

  private TestCoordinator(CoordinatorConfig config, Tracing tracing) throws IOException {
    this.config = config;
    this.coordinator = Coordinator.start(config, folder -> () -> {}, tracing);
    this.channel =
        NettyChannelBuilder.forTarget(target())
            .usePlaintext()
            .maxInboundMessageSize(64 << 20)
            .build();
    this.calls = channel;
  }

  private TestCoordinator(TestCoordinator shared, Channel calls) {
    this.config = shared.config;
    this.coordinator = shared.coordinator;
    this.channel = shared.channel;
    this.calls = calls;
  }

  /**
   * The same coordinator, called with a token; not to be closed.
   *
   * @param token null for none
   */
  public TestCoordinator withToken(String token) {
    Metadata headers = new Metadata();
    if (token != null) {
      headers.put(Authentication.AUTHORIZATION, "Bearer " + token);
    }
    return new TestCoordinator(
        this,
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)));
  }

  /** A coordinator of a cluster of its own. */
  public static TestCoordinator start(Path directory) throws IOException {
    return start(directory, TestRedis.uri(), "test-" + UUID.randomUUID(), QUICK_LEASES);
  }

  public static TestCoordinator start(
      Path directory, String redis, String namespace, LeaseConfig leases) throws IOException {
    return start(
        directory,
        redis,
        namespace,
        leases,
        AccessConfig.LOOPBACK,
        LimitsConfig.DEFAULTS,
        new ResultsConfig(false, Optional.empty()),
        Optional.empty());
  }

  /** A coordinator of a cluster of its own that does not let everybody do everything. */
  public static TestCoordinator start(
      Path directory, AccessConfig access, LimitsConfig limits, Optional<Duration> retention)
      throws IOException {
    return start(
        directory,
        TestRedis.uri(),
        "test-" + UUID.randomUUID(),
        QUICK_LEASES,
        access,
        limits,
        new ResultsConfig(false, Optional.empty()),
        retention);
  }

  /** A coordinator of a cluster of its own that keeps its images elsewhere. */
  public static TestCoordinator start(
      Path directory, ResultsConfig results, Optional<Duration> retention) throws IOException {
    return start(
        directory,
        TestRedis.uri(),
        "test-" + UUID.randomUUID(),
        QUICK_LEASES,
        AccessConfig.LOOPBACK,
        LimitsConfig.DEFAULTS,
        results,
        retention);
  }

  private static TestCoordinator start(
      Path directory,
      String redis,
      String namespace,
      LeaseConfig leases,
      AccessConfig access,
      LimitsConfig limits,
      ResultsConfig results,
      Optional<Duration> retention)
      throws IOException {
    return start(
        directory, redis, namespace, leases, onFreePorts(access), limits, results, retention);
  }

  /** A coordinator of a cluster of its own with ports of some kind. */
  public static TestCoordinator start(Path directory, ListenConfig listen) throws IOException {
    return start(
        directory,
        TestRedis.uri(),
        "test-" + UUID.randomUUID(),
        QUICK_LEASES,
        listen,
        LimitsConfig.DEFAULTS,
        new ResultsConfig(false, Optional.empty()),
        Optional.empty());
  }

  /** A coordinator of a cluster of its own that writes traces. */
  public static TestCoordinator start(Path directory, Tracing tracing) throws IOException {
    return new TestCoordinator(
        new CoordinatorConfig(
            new DirectoryConfig(directory, false),
            new RedisConfig(TestRedis.uri(), "test-" + UUID.randomUUID(), Optional.empty(), 0, 1),
            onFreePorts(AccessConfig.LOOPBACK),
            new JobsConfig(LimitsConfig.DEFAULTS, Optional.empty(), Optional.empty()),
            new DispatchConfig(QUICK_LEASES, Duration.ofMillis(50)),
            new ResultsConfig(false, Optional.empty()),
            WebhookConfig.DEFAULTS,
            NO_INPUTS,
            Duration.ofSeconds(2)),
        tracing);
  }

  /** A coordinator that works with a Redis in some way. */
  public static TestCoordinator start(Path directory, RedisConfig redis) throws IOException {
    return start(
        directory,
        redis,
        QUICK_LEASES,
        onFreePorts(AccessConfig.LOOPBACK),
        LimitsConfig.DEFAULTS,
        new ResultsConfig(false, Optional.empty()),
        Optional.empty());
  }

  /** A coordinator that tells others what becomes of jobs. */
  public static TestCoordinator start(
      Path directory, RedisConfig redis, AccessConfig access, WebhookConfig webhooks)
      throws IOException {
    return start(
        directory,
        redis,
        QUICK_LEASES,
        onFreePorts(access),
        LimitsConfig.DEFAULTS,
        new ResultsConfig(false, Optional.empty()),
        webhooks,
        NO_INPUTS,
        Optional.empty());
  }

  private static ListenConfig onFreePorts(AccessConfig access) {
    return new ListenConfig(
        "127.0.0.1",
        0,
        0,
        Optional.empty(),
        access,
        List.of(),
        List.of(),
        ConnectionsConfig.DEFAULTS);
  }

  private static TestCoordinator start(
      Path directory,
      String redis,
      String namespace,
      LeaseConfig leases,
      ListenConfig listen,
      LimitsConfig limits,
      ResultsConfig results,
      Optional<Duration> retention)
      throws IOException {
    return start(
        directory,
        new RedisConfig(redis, namespace, Optional.empty(), 0, 1),
        leases,
        listen,
        limits,
        results,
        retention);
  }

  private static TestCoordinator start(
      Path directory,
      RedisConfig redis,
      LeaseConfig leases,
      ListenConfig listen,
      LimitsConfig limits,
      ResultsConfig results,
      Optional<Duration> retention)
      throws IOException {
    return start(
        directory,
        redis,
        leases,
        listen,
        limits,
        results,
        WebhookConfig.DEFAULTS,
        NO_INPUTS,
        retention);
  }

  /** A coordinator of a cluster of its own that reads objects and keeps its images in S3. */
  public static TestCoordinator start(
      Path directory,
      AccessConfig access,
      LimitsConfig limits,
      ResultsConfig results,
      InputConfig inputs)
      throws IOException {
    return start(
        directory,
        new RedisConfig(TestRedis.uri(), "test-" + UUID.randomUUID(), Optional.empty(), 0, 1),
        QUICK_LEASES,
        onFreePorts(access),
        limits,
        results,
        WebhookConfig.DEFAULTS,
        inputs,
        Optional.empty());
  }

  private static TestCoordinator start(
      Path directory,
      RedisConfig redis,
      LeaseConfig leases,
      ListenConfig listen,
      LimitsConfig limits,
      ResultsConfig results,
      WebhookConfig webhooks,
      InputConfig inputs,
      Optional<Duration> retention)
      throws IOException {
    return new TestCoordinator(
        new CoordinatorConfig(
            new DirectoryConfig(directory, false),
            redis,
            listen,
            new JobsConfig(limits, Optional.empty(), retention),
            new DispatchConfig(leases, Duration.ofMillis(50)),
            results,
            webhooks,
            inputs,
            Duration.ofSeconds(2)));
  }

  /** Another coordinator of the same cluster. */
  public TestCoordinator second() throws IOException {
    return new TestCoordinator(config);
  }

  /** Another coordinator of the same cluster, with ports of some kind. */
  public TestCoordinator second(ListenConfig listen) throws IOException {
    return new TestCoordinator(
        new CoordinatorConfig(
            config.directory(),
            config.redis(),
            listen,
            config.jobs(),
            config.dispatch(),
            config.results(),
            config.webhooks(),
            config.inputs(),
            config.drainTimeout()));
  }

  /** Where clients and workers connect. */
  public String target() {
    return "127.0.0.1:" + coordinator.grpcPort();
  }

  public String http(String path) {
    return "http://127.0.0.1:" + coordinator.httpPort() + path;
  }

  /** Status of the answer to whether calls can be served. */
  public int ready() {
    return health().statusCode();
  }

  public HttpResponse<String> health() {
    try {
      return http.send(
          HttpRequest.newBuilder(URI.create(http("/health/ready"))).build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** All metrics, as Prometheus reads them. */
  public String metrics() {
    try {
      return http.send(
              HttpRequest.newBuilder(URI.create(http("/metrics"))).build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  public int httpPort() {
    return coordinator.httpPort();
  }

  public int grpcPort() {
    return coordinator.grpcPort();
  }

  public ManagedChannel channel() {
    return channel;
  }

  /** Where the calls of {@link #batch} go. */
  public Channel calls() {
    return calls;
  }

  public BatchServiceGrpc.BatchServiceBlockingStub batch() {
    return BatchServiceGrpc.newBlockingStub(calls)
        .withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  public BatchServiceGrpc.BatchServiceStub batchAsync() {
    return BatchServiceGrpc.newStub(calls)
        .withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  // Workers

  /** A worker that is closed with the coordinator. */
  public FakeWorker worker(String id, FakeBehaviour behaviour) throws Exception {
    FakeWorker worker = FakeWorker.start(target(), id, behaviour);
    workers.add(worker);
    awaitWelcome(worker);
    return worker;
  }

  /** Makes a model known without leaving a worker behind. */
  public void announce(String model, String... sizes) throws Exception {
    try (FakeWorker worker =
        FakeWorker.start(target(), "announcer", FakeBehaviour.DEFAULT.withModel(model, sizes))) {
      awaitWelcome(worker);
    }
    awaitTrue(
        "announcer left",
        () ->
            batch().listModels(ListModelsRequest.getDefaultInstance()).getModelsList().stream()
                .allMatch(known -> known.getWorkers() == 0));
  }

  private void awaitWelcome(FakeWorker worker) throws InterruptedException {
    try {
      awaitTrue("worker is welcome", () -> worker.welcomes() > 0);
    } catch (AssertionError e) {
      throw new AssertionError(
          worker + "; coordinator: " + coordinator.trouble().orElse("no trouble"), e);
    }
  }

  // Jobs

  public Job newJob() {
    return batch().createJob(CreateJobRequest.getDefaultInstance()).getJob();
  }

  /** A sealed job with these prompts. */
  public Job submit(List<Prompt> prompts) {
    Job job = newJob();
    append(job.getName(), 0, prompts);
    return seal(job.getName());
  }

  public Job seal(String name) {
    return batch().sealJob(SealJobRequest.newBuilder().setName(name).build()).getJob();
  }

  public Job cancel(String name) {
    return batch().cancelJob(CancelJobRequest.newBuilder().setName(name).build()).getJob();
  }

  public Job job(String name) {
    return batch().getJob(GetJobRequest.newBuilder().setName(name).build()).getJob();
  }

  /** Appends in one message and returns the next offset, or throws what the call failed with. */
  public long append(String name, long offset, List<Prompt> prompts) {
    return append(
        List.of(
            AppendPromptsRequest.newBuilder()
                .setName(name)
                .setOffset(offset)
                .addAllPrompts(prompts)
                .build()));
  }

  public long append(List<AppendPromptsRequest> messages) {
    CompletableFuture<Long> next = new CompletableFuture<>();
    StreamObserver<AppendPromptsRequest> call =
        batchAsync()
            .appendPrompts(
                new StreamObserver<>() {
                  @Override
                  public void onNext(AppendPromptsResponse response) {
                    next.complete(response.getNextOffset());
                  }

                  @Override
                  public void onError(Throwable error) {
                    next.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    messages.forEach(call::onNext);
    call.onCompleted();
    try {
      return next.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw GrpcErrors.fromStatus(e);
    } catch (InterruptedException | TimeoutException e) {
      throw new CompletionException(e);
    }
  }

  /** All results, until the job is terminal. */
  public List<PromptResult> results(String name) {
    List<PromptResult> results = new ArrayList<>();
    Iterator<ReadResultsResponse> stream =
        batch().readResults(ReadResultsRequest.newBuilder().setName(name).setFollow(true).build());
    stream.forEachRemaining(response -> results.add(response.getResult()));
    return results;
  }

  public static List<Prompt> prompts(int count, String... aspectRatios) {
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Prompt.Builder prompt = Prompt.newBuilder().setPrompt("prompt " + i).setSize("0.06M");
      if (aspectRatios.length > 0) {
        prompt.setAspectRatio(aspectRatios[i % aspectRatios.length]);
      }
      prompts.add(prompt.build());
    }
    return prompts;
  }

  public static void awaitTrue(String what, BooleanSupplier condition) throws InterruptedException {
    // Looks are counted and not time, which goes on while a virtual machine stands still.
    long looks = PATIENCE.dividedBy(LOOK_AGAIN);
    while (!condition.getAsBoolean()) {
      if (looks-- == 0) {
        throw new AssertionError("still not: " + what);
      }
      Thread.sleep(LOOK_AGAIN.toMillis());
    }
  }

  /** Ends the coordinator at once, as a crash would, and nothing else. */
  public void crash() {
    coordinator.close();
  }

  /** Ends it as SIGTERM would. */
  public void stop() {
    coordinator.stop();
  }

  @Override
  public void close() {
    workers.forEach(FakeWorker::kill);
    channel.shutdownNow();
    coordinator.close();
  }
}
