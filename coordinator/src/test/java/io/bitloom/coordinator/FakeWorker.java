package io.bitloom.coordinator;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Release;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.WorkRequest;
import io.bitloom.v1.WorkerModel;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A worker without a model: speaks the real protocol over a real connection, sleeps instead of
 * drawing, and returns bytes that follow from prompt, seed and index, so that runs can be compared.
 * It reconnects and takes its leases along, as a worker has to.
 */
public final class FakeWorker implements AutoCloseable {

  /** A lease, and which of its prompts have no acknowledged outcome. */
  private static final class Held {
    private final Lease lease;
    private final Map<TaskRef, Task> open = new LinkedHashMap<>();
    private final Map<TaskRef, Outcome> reported = new HashMap<>();

    private Held(Lease lease) {
      this.lease = lease;
      lease.getTasksList().forEach(task -> open.put(task.getRef(), task));
    }

    private HeldLease named() {
      return HeldLease.newBuilder()
          .setLeaseId(lease.getLeaseId())
          .setFencingToken(lease.getFencingToken())
          .setModel(lease.getModel())
          .setSchedule(lease.getSchedule())
          .addAllTasks(open.keySet())
          .build();
    }
  }

  private static final Duration RECONNECT = Duration.ofMillis(100);

  private final String workerId;
  private final FakeBehaviour behaviour;
  private final Random troubles;
  private final ManagedChannel channel;
  private final ScheduledExecutorService loop;

  private final Map<String, Held> held = new LinkedHashMap<>();
  private final Deque<Held> toDraw = new ArrayDeque<>();
  private StreamObserver<ConnectRequest> stream;
  private long requests;
  private boolean drawing;
  private boolean stalled;
  private boolean closed;

  private final AtomicLong batches = new AtomicLong();
  private final AtomicLong prompts = new AtomicLong();
  private final AtomicLong committed = new AtomicLong();
  private final AtomicLong superseded = new AtomicLong();
  private final AtomicLong leasesLost = new AtomicLong();
  private final AtomicLong welcomes = new AtomicLong();

  private FakeWorker(String target, String workerId, FakeBehaviour behaviour) {
    this.workerId = workerId;
    this.behaviour = behaviour;
    this.troubles = new Random(behaviour.seed());
    this.channel =
        NettyChannelBuilder.forTarget(target)
            .usePlaintext()
            .maxInboundMessageSize(64 << 20)
            .build();
    this.loop =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, workerId);
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Connects and works until it is closed.
   *
   * @param target {@code host:port} of a coordinator
   */
  public static FakeWorker start(String target, String workerId, FakeBehaviour behaviour) {
    FakeWorker worker = new FakeWorker(target, workerId, behaviour);
    worker.execute(worker::connect);
    return worker;
  }

  // Counters

  /** Batches that were drawn. */
  public long batches() {
    return batches.get();
  }

  /** Prompts that were drawn. */
  public long prompts() {
    return prompts.get();
  }

  /** Outcomes that were taken. */
  public long committed() {
    return committed.get();
  }

  /** Outcomes that came too late. */
  public long superseded() {
    return superseded.get();
  }

  /** Leases that it was told to forget. */
  public long leasesLost() {
    return leasesLost.get();
  }

  /** How often it was let in. */
  public long welcomes() {
    return welcomes.get();
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
    channel.shutdownNow();
  }

  /** Hands back what it has not begun and goes. */
  @Override
  public void close() {
    try {
      loop.submit(this::handBack).get(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(e);
    } catch (RejectedExecutionException e) {
      // It was killed.
    }
    loop.shutdown();
    channel.shutdown();
  }

  private void handBack() {
    closed = true;
    for (Held lease : held.values()) {
      if (!lease.open.isEmpty()) {
        send(
            ConnectRequest.newBuilder()
                .setRelease(
                    Release.newBuilder()
                        .setLeaseId(lease.lease.getLeaseId())
                        .setFencingToken(lease.lease.getFencingToken())
                        .addAllTasks(lease.open.keySet())
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
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      // It was killed.
    }
  }

  private void later(Runnable task, Duration delay) {
    try {
      loop.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // It was killed.
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    requests = 0;
    stream =
        WorkerServiceGrpc.newStub(channel)
            .connect(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ConnectResponse message) {
                    execute(() -> receive(message));
                  }

                  @Override
                  public void onError(Throwable error) {
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
    ScaleSchedules.templates().stream()
        .flatMap(
            template ->
                behaviour.sizes().stream()
                    .map(size -> template.schedule(SizeClass.find(size).orElseThrow())))
        .forEach(
            schedule ->
                model.addCapacities(
                    ScheduleCapacity.newBuilder()
                        .setSchedule(schedule.id())
                        .setMaxImages(behaviour.maxImages())));
    Hello.Builder hello =
        Hello.newBuilder()
            .setWorkerId(workerId)
            .setVersion("fake")
            .setDevice("none")
            .addModels(model);
    held.values().forEach(lease -> hello.addHeldLeases(lease.named()));
    return hello.build();
  }

  private void send(ConnectRequest.Builder message) {
    if (stream != null) {
      stream.onNext(message.build());
    }
  }

  private void receive(ConnectResponse message) {
    switch (message.getMessageCase()) {
      case WELCOME -> {
        welcomes.incrementAndGet();
        message.getWelcome().getLostLeasesList().forEach(this::forget);
        held.values().forEach(lease -> lease.reported.values().forEach(this::report));
        for (int i = held.size(); i < behaviour.prefetch(); i++) {
          requestWork();
        }
        com.google.protobuf.Duration interval = message.getWelcome().getHeartbeatInterval();
        Duration heartbeat = Duration.ofSeconds(interval.getSeconds(), interval.getNanos());
        StreamObserver<ConnectRequest> welcomed = stream;
        later(() -> heartbeat(welcomed, heartbeat), heartbeat);
      }
      case LEASE -> {
        Held lease = new Held(message.getLease());
        held.put(lease.lease.getLeaseId(), lease);
        toDraw.add(lease);
        drawNext();
      }
      case OUTCOME_ACK -> acknowledged(message.getOutcomeAck());
      case LEASE_LOST -> {
        leasesLost.incrementAndGet();
        forget(message.getLeaseLost().getLeaseId());
      }
      case DRAIN, MESSAGE_NOT_SET -> {}
    }
  }

  private void requestWork() {
    requests++;
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
      held.values().forEach(lease -> heartbeat.addLeases(lease.named()));
      send(ConnectRequest.newBuilder().setHeartbeat(heartbeat));
    }
    later(() -> heartbeat(welcomed, interval), interval);
  }

  // Drawing

  private void drawNext() {
    if (drawing || stalled || closed || toDraw.isEmpty()) {
      return;
    }
    drawing = true;
    Held lease = toDraw.remove();
    later(() -> drawn(lease), behaviour.batchTime());
  }

  private void drawn(Held lease) {
    drawing = false;
    if (closed) {
      return;
    }
    if (stalled) {
      toDraw.addFirst(lease);
      return;
    }
    if (troubles.nextDouble() < behaviour.crashRate()) {
      held.clear();
      toDraw.clear();
      stream.onError(new InterruptedException("crashed by chance"));
      return;
    }
    if (held.containsKey(lease.lease.getLeaseId())) {
      batches.incrementAndGet();
      List.copyOf(lease.open.values()).forEach(task -> draw(lease, task));
      requestWork();
    }
    drawNext();
  }

  private void draw(Held lease, Task task) {
    prompts.incrementAndGet();
    Outcome.Builder outcome =
        Outcome.newBuilder()
            .setLeaseId(lease.lease.getLeaseId())
            .setFencingToken(lease.lease.getFencingToken())
            .setTask(task.getRef())
            .setBatchImages(lease.lease.getTasksCount());
    if (troubles.nextDouble() < behaviour.failureRate()) {
      outcome.setFailure(
          TaskFailure.newBuilder()
              .setReason("INTERNAL")
              .setMessage("failed by chance")
              .setRetryable(true));
    } else {
      outcome.setImages(images(lease.lease.getSchedule(), task.getPrompt()));
    }
    lease.reported.put(task.getRef(), outcome.build());
    report(outcome.build());
  }

  private void report(Outcome outcome) {
    send(ConnectRequest.newBuilder().setOutcome(outcome));
  }

  private void acknowledged(OutcomeAck ack) {
    if (ack.getStatus() == OutcomeAckStatus.OUTCOME_ACK_STATUS_COMMITTED) {
      committed.incrementAndGet();
    } else {
      superseded.incrementAndGet();
    }
    Held lease = held.get(ack.getLeaseId());
    if (lease != null) {
      lease.open.remove(ack.getTask());
      lease.reported.remove(ack.getTask());
      if (lease.open.isEmpty()) {
        held.remove(ack.getLeaseId());
      }
    }
  }

  /** Drops a lease; the request that it answered is spent, so another batch can be asked for. */
  private void forget(String leaseId) {
    Held lease = held.remove(leaseId);
    if (lease != null && toDraw.remove(lease)) {
      requestWork();
    }
  }

  private GeneratedImages images(String scheduleId, Prompt prompt) {
    ScaleSchedule schedule = ScaleSchedules.find(scheduleId).orElseThrow();
    GeneratedImages.Builder images = GeneratedImages.newBuilder();
    for (int index = 0; index < prompt.getNumImages(); index++) {
      ByteString bytes = bytes(prompt, index, behaviour.imageBytes());
      images.addImages(
          GeneratedImage.newBuilder()
              .setIndex(index)
              .setWidth(schedule.pixelWidth())
              .setHeight(schedule.pixelHeight())
              .setFormat(prompt.getFormat())
              .setSha256(ImageName.sha256(bytes))
              .setSizeBytes(bytes.size())
              .setData(bytes));
    }
    return images.build();
  }

  /** What this worker returns as an image. */
  public static ByteString bytes(Prompt prompt, int index, int size) {
    byte[] text = prompt.getPrompt().getBytes(StandardCharsets.UTF_8);
    Random stream = new Random(31 * ByteBuffer.wrap(text).hashCode() + prompt.getSeed() + index);
    byte[] image = new byte[size];
    stream.nextBytes(image);
    return ByteString.copyFrom(image);
  }
}
