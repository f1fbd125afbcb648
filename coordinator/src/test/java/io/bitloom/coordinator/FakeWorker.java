package io.bitloom.coordinator;

import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.common.secret.Secret;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.Hello;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.Release;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.Task;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.Welcome;
import io.bitloom.v1.WorkRequest;
import io.bitloom.v1.WorkerModel;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A worker without a model: speaks the real protocol over a real connection, sleeps instead of
 * drawing, and returns bytes that follow from prompt, seed and index, so that runs can be compared.
 * It reconnects, to the next coordinator if it knows several, and takes its leases along, as a
 * worker has to.
 */
public final class FakeWorker implements AutoCloseable {

  /** Told about leases, on the worker's own thread. */
  public interface LeaseListener {

    /**
     * @param waitNanos since the worker asked for it
     */
    void leased(Lease lease, List<Task> tasks, long waitNanos);
  }

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final int SMALL_IMAGE = 64 << 10;
  private static final Duration RECONNECT = Duration.ofMillis(100);

  private final String workerId;
  private final FakeBehaviour behaviour;
  private final FakeDrawing drawing;
  private final LeaseListener listener;
  private final List<ManagedChannel> channels;
  private final ScheduledExecutorService loop;
  private final FakeLeases leases = new FakeLeases();
  private final FakeCounters counters = new FakeCounters();
  private final FakeUploads uploads = new FakeUploads();
  private final Secret instance = Secret.draw();

  private boolean uploading;
  private StreamObserver<ConnectRequest> stream;
  private volatile int connections;
  private long requests;
  private long requestedAt;
  private boolean busy;
  private boolean stalled;
  private boolean leaving; // the current connection
  private boolean closed;
  private volatile String trouble = "none";

  private FakeWorker(
      List<String> targets,
      Optional<String> token,
      String workerId,
      FakeBehaviour behaviour,
      LeaseListener listener) {
    this.workerId = workerId;
    this.behaviour = behaviour;
    this.drawing = new FakeDrawing(behaviour);
    this.listener = listener;
    this.channels = targets.stream().map(target -> channel(target, token)).toList();
    this.loop =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, workerId);
              thread.setDaemon(true);
              return thread;
            });
  }

  private static ManagedChannel channel(String target, Optional<String> token) {
    Metadata headers = new Metadata();
    token.ifPresent(known -> headers.put(AUTHORIZATION, "Bearer " + known));
    return NettyChannelBuilder.forTarget(target)
        .usePlaintext()
        .maxInboundMessageSize(64 << 20)
        .intercept(MetadataUtils.newAttachHeadersInterceptor(headers))
        .build();
  }

  /**
   * Connects and works until it is closed.
   *
   * @param target {@code host:port} of a coordinator
   */
  public static FakeWorker start(String target, String workerId, FakeBehaviour behaviour) {
    return start(
        List.of(target), Optional.empty(), workerId, behaviour, (lease, tasks, waitNanos) -> {});
  }

  /**
   * Connects and works until it is closed.
   *
   * @param targets {@code host:port} of coordinators; the next one is taken at every reconnect
   * @param token of a tenant's worker, if only such are let in
   */
  public static FakeWorker start(
      List<String> targets,
      Optional<String> token,
      String workerId,
      FakeBehaviour behaviour,
      LeaseListener listener) {
    FakeWorker worker = new FakeWorker(targets, token, workerId, behaviour, listener);
    worker.execute(worker::connect);
    return worker;
  }

  // Counters

  /** Batches that were drawn. */
  public long batches() {
    return counters.batches.get();
  }

  /** Prompts that were drawn. */
  public long prompts() {
    return counters.prompts.get();
  }

  /** Outcomes that were taken. */
  public long committed() {
    return counters.committed.get();
  }

  /** Outcomes that came too late. */
  public long superseded() {
    return counters.superseded.get();
  }

  /** Leases that it was told to forget. */
  public long leasesLost() {
    return counters.leasesLost.get();
  }

  /** How often it was let in. */
  public long welcomes() {
    return counters.welcomes.get();
  }

  /** How often it connected and what failed last, for the report of a test. */
  @Override
  public String toString() {
    return workerId + ": " + connections + " connections, last trouble: " + trouble;
  }

  // Troubles

  /** Goes on neither drawing nor sending heartbeats, with its connection open. */
  public void stall() {
    execute(() -> stalled = true);
  }

  /** Ends a stall. */
  public void recover() {
    execute(
        () -> {
          stalled = false;
          drawNext();
        });
  }

  /** Drops the connection; the worker comes back with its leases. */
  public void cut() {
    execute(() -> stream.onError(new InterruptedException("cut by the test")));
  }

  /** Ends at once like a killed process. */
  public void kill() {
    loop.shutdownNow();
    channels.forEach(ManagedChannel::shutdownNow);
  }

  /** Hands back what it has not begun and goes. */
  @Override
  public void close() {
    try {
      loop.submit(this::handBack).get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(e);
    } catch (RejectedExecutionException e) {
      // It was killed.
    }
    loop.shutdown();
    channels.forEach(ManagedChannel::shutdown);
  }

  private void handBack() {
    closed = true;
    for (FakeLeases.Held lease : leases.all()) {
      if (!lease.open().isEmpty()) {
        send(
            ConnectRequest.newBuilder()
                .setRelease(
                    Release.newBuilder()
                        .setLeaseId(lease.lease().getLeaseId())
                        .setFencingToken(lease.lease().getFencingToken())
                        .setLeaseSecret(lease.lease().getSecret())
                        .addAllTasks(lease.openRefs())
                        .setReason("the worker stops")));
      }
    }
    if (stream != null) {
      stream.onCompleted();
    }
  }

  // The session

  private void execute(Runnable task) {
    try {
      loop.execute(() -> run(task));
    } catch (RejectedExecutionException e) {
      // It was killed.
    }
  }

  private void later(Runnable task, Duration delay) {
    try {
      loop.schedule(() -> run(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // It was killed.
    }
  }

  /** The loop itself would swallow what a task throws. */
  private void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      trouble = e.toString();
      throw e;
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    requests = 0;
    leaving = false;
    stream =
        WorkerServiceGrpc.newStub(channels.get(connections++ % channels.size()))
            .connect(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ConnectResponse message) {
                    execute(() -> receive(message));
                  }

                  @Override
                  public void onError(Throwable error) {
                    trouble = error.toString();
                    later(FakeWorker.this::connect, RECONNECT);
                  }

                  @Override
                  public void onCompleted() {
                    later(FakeWorker.this::connect, RECONNECT);
                  }
                });
    send(ConnectRequest.newBuilder().setHello(hello()));
  }

  private Hello hello() {
    WorkerModel.Builder model =
        WorkerModel.newBuilder()
            .setName(behaviour.model())
            .setDigest("sha256:fake")
            .setDescription("Draws nothing")
            .addAllSizes(behaviour.sizes());
    behaviour.sizes().stream()
        .flatMap(size -> ScaleSchedules.of(SizeClass.find(size).orElseThrow()).stream())
        .forEach(
            schedule ->
                model.addCapacities(
                    ScheduleCapacity.newBuilder()
                        .setSchedule(schedule.id())
                        .setMaxImages(behaviour.maxImages())));
    Hello.Builder hello =
        Hello.newBuilder()
            .setWorkerId(workerId)
            .setInstanceSecret(instance.text())
            .setVersion("fake")
            .setDevice("none")
            .setForm(2)
            .setPool(behaviour.pool())
            .addModels(model);
    leases.all().forEach(lease -> hello.addHeldLeases(lease.named()));
    return hello.build();
  }

  private void send(ConnectRequest.Builder message) {
    if (stream != null) {
      stream.onNext(message.build());
    }
  }

  private void receive(ConnectResponse message) {
    switch (message.getMessageCase()) {
      case WELCOME -> welcome(message.getWelcome());
      case LEASE -> {
        long waitNanos = System.nanoTime() - requestedAt;
        List<Task> tasks = LeasedTasks.of(message.getLease());
        listener.leased(message.getLease(), tasks, waitNanos);
        leases.add(message.getLease().toBuilder().clearPrompts().build(), tasks);
        drawNext();
      }
      case LEASE_VERDICTS -> acknowledged(message.getLeaseVerdicts());
      case LEASE_LOST -> {
        counters.leasesLost.incrementAndGet();
        forget(message.getLeaseLost().getLeaseId());
      }
      case UPLOAD_GRANT -> upload(message.getUploadGrant());
      case DRAIN -> {
        leaving = true;
        leaveIfNothingIsHeld();
      }
      case OUTCOME_ACK, OUTCOME_ACK_BATCH, MESSAGE_NOT_SET -> {}
    }
  }

  private void welcome(Welcome welcome) {
    counters.welcomes.incrementAndGet();
    uploading = welcome.getUploads();
    welcome.getLostLeasesList().forEach(this::forget);
    leases.all().forEach(lease -> report(lease, lease.unacknowledged()));
    // What is drawn and not acknowledged asks for no more work when it is.
    for (int i = leases.undrawn() + (busy ? 1 : 0); i < behaviour.prefetch(); i++) {
      requestWork();
    }
    com.google.protobuf.Duration interval = welcome.getHeartbeatInterval();
    Duration heartbeat = Duration.ofSeconds(interval.getSeconds(), interval.getNanos());
    StreamObserver<ConnectRequest> welcomed = stream;
    later(() -> heartbeat(welcomed, heartbeat), heartbeat);
  }

  private void requestWork() {
    if (leaving) {
      return;
    }
    requests++;
    requestedAt = System.nanoTime();
    send(
        ConnectRequest.newBuilder()
            .setWorkRequest(WorkRequest.newBuilder().setRequestNumber(requests)));
  }

  private void heartbeat(StreamObserver<ConnectRequest> welcomed, Duration interval) {
    if (closed || stream != welcomed) {
      return;
    }
    if (!stalled) {
      Heartbeat.Builder heartbeat = Heartbeat.newBuilder();
      leases.all().forEach(lease -> heartbeat.addLeases(lease.named()));
      send(ConnectRequest.newBuilder().setHeartbeat(heartbeat));
    }
    later(() -> heartbeat(welcomed, interval), interval);
  }

  /** Drops a lease; the request that it answered is spent, so another batch can be asked for. */
  private void forget(String leaseId) {
    if (leases.forget(leaseId)) {
      requestWork();
    }
  }

  // Drawing

  private void drawNext() {
    if (busy || stalled || closed || leases.nothingToDraw()) {
      return;
    }
    busy = true;
    FakeLeases.Held lease = leases.nextToDraw();
    later(() -> drawn(lease), behaviour.batchTime());
  }

  private void drawn(FakeLeases.Held lease) {
    busy = false;
    if (closed) {
      return;
    }
    if (stalled) {
      leases.drawLater(lease);
      return;
    }
    if (drawing.crashes()) {
      leases.forgetAll();
      stream.onError(new InterruptedException("crashed by chance"));
      return;
    }
    if (leases.holds(lease)) {
      counters.batches.incrementAndGet();
      List<PromptOutcome> outcomes = new ArrayList<>();
      for (int index : lease.open()) {
        PromptOutcome outcome = drawing.draw(lease.lease(), index, lease.task(index));
        lease.reported(outcome);
        outcomes.add(outcome);
      }
      counters.prompts.addAndGet(outcomes.size());
      report(lease, outcomes);
      requestWork();
    }
    drawNext();
  }

  /** Small outcomes go together, unless they are to come one by one as images do. */
  private void report(FakeLeases.Held lease, List<PromptOutcome> outcomes) {
    List<PromptOutcome> toSend = new ArrayList<>();
    for (PromptOutcome outcome : outcomes) {
      if (uploading && FakeUploads.canUpload(outcome)) {
        askToUpload(lease, outcome);
      } else {
        toSend.add(outcome);
      }
    }
    if (behaviour.oneByOne() || behaviour.imageBytes() > SMALL_IMAGE) {
      toSend.forEach(outcome -> send(lease, List.of(outcome)));
    } else if (!toSend.isEmpty()) {
      send(lease, toSend);
    }
  }

  private void send(FakeLeases.Held lease, List<PromptOutcome> outcomes) {
    LeaseOutcomes.Builder message = lease.outcomes().addAllOutcomes(outcomes);
    if (behaviour.secondsPerImage() > 0) {
      long nanos = (long) (behaviour.secondsPerImage() * outcomes.size() * 1e9);
      message
          .setBatchImages(outcomes.size())
          .setTimes(
              StageTimes.newBuilder()
                  .setTransformer(
                      com.google.protobuf.Duration.newBuilder()
                          .setSeconds(nanos / 1_000_000_000)
                          .setNanos((int) (nanos % 1_000_000_000))));
    }
    send(ConnectRequest.newBuilder().setLeaseOutcomes(message));
  }

  private void askToUpload(FakeLeases.Held lease, PromptOutcome outcome) {
    send(
        ConnectRequest.newBuilder()
            .setUploadRequest(
                FakeUploads.request(
                    lease.lease(), lease.task(outcome.getIndex()).getRef(), outcome)));
  }

  private void upload(UploadGrant grant) {
    leases
        .find(grant.getLeaseId())
        .ifPresent(
            lease ->
                lease.unacknowledged().stream()
                    .filter(FakeUploads::canUpload)
                    .filter(
                        outcome -> lease.task(outcome.getIndex()).getRef().equals(grant.getTask()))
                    .forEach(outcome -> upload(lease, outcome, grant)));
  }

  private void upload(FakeLeases.Held lease, PromptOutcome outcome, UploadGrant grant) {
    Optional<PromptOutcome> uploaded = uploads.upload(outcome, grant);
    if (uploaded.isPresent()) {
      lease.reported(uploaded.get());
      send(lease, List.of(uploaded.get()));
    } else {
      later(() -> askToUpload(lease, outcome), RECONNECT);
    }
  }

  private void acknowledged(LeaseVerdicts verdicts) {
    counters.committed.addAndGet(forget(verdicts.getLeaseId(), verdicts.getCommittedList()));
    counters.superseded.addAndGet(forget(verdicts.getLeaseId(), verdicts.getSupersededList()));
    leaveIfNothingIsHeld();
  }

  private void leaveIfNothingIsHeld() {
    if (leaving && leases.all().isEmpty()) {
      stream.onCompleted();
    }
  }

  private int forget(String leaseId, List<IndexRange> ranges) {
    int prompts = 0;
    for (IndexRange range : ranges) {
      prompts += range.getCount();
      for (int i = 0; i < range.getCount(); i++) {
        leases.acknowledged(leaseId, range.getFirst() + i);
      }
    }
    return prompts;
  }
}
