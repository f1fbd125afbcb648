package io.bitloom.coordinator.dispatch.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.Task;
import io.bitloom.v1.Welcome;
import io.bitloom.v1.WorkRequest;
import io.bitloom.v1.WorkerModel;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A worker's side of the protocol, message by message, as a test wants it. */
final class ScriptedWorker {

  private static final Map<String, Secret> INSTANCES = new ConcurrentHashMap<>();

  private final BlockingQueue<ConnectResponse> received = new LinkedBlockingQueue<>();
  private final BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
  private final StreamObserver<ConnectRequest> stream;
  private long requests;
  private ConnectResponse welcomed;

  ScriptedWorker(Channel channel) {
    stream =
        WorkerServiceGrpc.newStub(channel)
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

  /** Of one process for each id: whoever says it again comes back. */
  static Hello.Builder hello(String workerId) {
    return Hello.newBuilder()
        .setWorkerId(workerId)
        .setInstanceSecret(INSTANCES.computeIfAbsent(workerId, id -> Secret.draw()).text())
        .addModels(
            WorkerModel.newBuilder()
                .setName("fake")
                .setDigest("sha256:fake")
                .addSizes("0.06M")
                .addSizes("0.25M")
                .addCapacities(
                    ScheduleCapacity.newBuilder().setSchedule("1.0_0.06M").setMaxImages(4)));
  }

  /** Ends the stream in order. */
  void complete() {
    stream.onCompleted();
  }

  void send(Consumer<ConnectRequest.Builder> message) {
    ConnectRequest.Builder request = ConnectRequest.newBuilder();
    message.accept(request);
    stream.onNext(request.build());
  }

  ScriptedWorker welcome(String workerId, HeldLease... held) throws Exception {
    return welcome(hello(workerId).addAllHeldLeases(List.of(held)));
  }

  /** Likewise, as a worker of form 2. */
  ScriptedWorker welcomeRelative(String workerId, HeldLease... held) throws Exception {
    welcome(hello(workerId).setForm(2).addAllHeldLeases(List.of(held)));
    assertEquals(2, welcomed().getForm());
    return this;
  }

  private ScriptedWorker welcome(Hello.Builder hello) throws Exception {
    send(m -> m.setHello(hello));
    welcomed = next();
    assertTrue(welcomed.hasWelcome(), welcomed.toString());
    return this;
  }

  /** The answer to its Hello. */
  Welcome welcomed() {
    return welcomed.getWelcome();
  }

  /** The next message, if it comes soon. */
  Optional<ConnectResponse> nextSoon() throws Exception {
    return Optional.ofNullable(received.poll(200, TimeUnit.MILLISECONDS));
  }

  ConnectResponse next() throws Exception {
    ConnectResponse message = received.poll(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    if (message == null) {
      throw new AssertionError("no message, errors: " + errors);
    }
    return message;
  }

  ErrorCode failure() throws Exception {
    return refusal().code();
  }

  /** What the stream ended with. */
  BitloomException refusal() throws Exception {
    Throwable error = errors.poll(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    if (error == null) {
      throw new AssertionError("no error, messages: " + received);
    }
    return GrpcErrors.fromStatus(error);
  }

  /** Whether the answer to its Hello is a welcome, and no error. */
  boolean isWelcome() throws Exception {
    for (long i = 0; i < TestCoordinator.PATIENCE.toSeconds(); i++) {
      ConnectResponse message = received.poll(1, TimeUnit.SECONDS);
      if (message != null) {
        return message.hasWelcome();
      }
      if (!errors.isEmpty()) {
        return false;
      }
    }
    throw new AssertionError("neither a message nor an error");
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

  RelativeLease relativeLease() throws Exception {
    return new RelativeLease(lease());
  }

  /** Reports prompts of a lease together and waits until it has heard of all of them. */
  RelativeLease.Verdicts report(LeaseOutcomes outcomes) throws Exception {
    send(m -> m.setLeaseOutcomes(outcomes));
    RelativeLease.Verdicts verdicts = RelativeLease.Verdicts.of(List.of());
    while (verdicts.count() < outcomes.getOutcomesCount()) {
      ConnectResponse message = next();
      assertTrue(message.hasLeaseVerdicts(), message.toString());
      assertEquals(outcomes.getLeaseId(), message.getLeaseVerdicts().getLeaseId());
      verdicts = verdicts.and(message.getLeaseVerdicts());
    }
    return verdicts;
  }

  void cut() {
    stream.onError(new InterruptedException("cut"));
  }

  // Messages

  static Outcome.Builder outcome(Lease lease, Task task) {
    return Outcome.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setLeaseSecret(lease.getSecret())
        .setTask(task.getRef())
        .setBatchImages(lease.getTasksCount());
  }

  static GeneratedImage image(String content) {
    ByteString bytes = ByteString.copyFromUtf8(content);
    return GeneratedImage.newBuilder()
        .setWidth(256)
        .setHeight(256)
        .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
        .setSha256(ImageName.sha256(bytes))
        .setData(bytes)
        .build();
  }

  static Outcome drawn(Lease lease, Task task, String content) {
    return outcome(lease, task)
        .setImages(GeneratedImages.newBuilder().addImages(image(content)))
        .build();
  }

  static HeldLease held(Lease lease) {
    return HeldLease.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setSecret(lease.getSecret())
        .addAllTasks(lease.getTasksList().stream().map(Task::getRef).toList())
        .build();
  }

  static List<Long> offsets(Lease lease) {
    return lease.getTasksList().stream().map(task -> task.getRef().getOffset()).toList();
  }
}
