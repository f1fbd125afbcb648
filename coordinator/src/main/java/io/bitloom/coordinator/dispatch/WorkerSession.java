package io.bitloom.coordinator.dispatch;

import com.google.protobuf.Duration;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.GrpcErrors;
import io.bitloom.common.resilience.Patience;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.OutcomeBatch;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Progress;
import io.bitloom.v1.Release;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import io.bitloom.v1.Welcome;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of one worker: what it asks for, what it holds, what it reports. Messages are handled
 * in the order they came, in the dispatch loop, to which all state is confined.
 */
final class WorkerSession implements StreamObserver<ConnectRequest>, OutcomeIntake.Listener {

  private static final Logger log = LoggerFactory.getLogger(WorkerSession.class);

  private static final int MAX_REQUESTS = 64;

  private final WorkerStream stream;
  private final Dispatcher dispatcher;
  private final LeaseConfig config;
  private final DispatchMetrics metrics;
  private final Instant since = Instant.now();

  private WorkerProfile profile;
  private OutcomeIntake intake;
  private boolean joined;
  private boolean welcomed;
  private boolean leasing;
  private long lastRequest;
  private final Deque<Long> requests = new ArrayDeque<>();
  private final Map<String, OpenLease> leases = new LinkedHashMap<>();
  private long imagesDone;

  WorkerSession(
      ServerCallStreamObserver<ConnectResponse> observer,
      Dispatcher dispatcher,
      LeaseConfig config,
      DispatchMetrics metrics) {
    this.stream = new WorkerStream(observer);
    this.dispatcher = dispatcher;
    this.config = config;
    this.metrics = metrics;
    observer.setOnCancelHandler(() -> dispatcher.execute(this::broken));
  }

  // The stream

  @Override
  public void onNext(ConnectRequest message) {
    dispatcher.execute(() -> receive(message));
  }

  @Override
  public void onError(Throwable error) {
    dispatcher.execute(this::broken);
  }

  @Override
  public void onCompleted() {
    dispatcher.execute(
        () -> {
          if (stream.open()) {
            broken();
            stream.complete();
          }
        });
  }

  private void receive(ConnectRequest message) {
    if (!stream.open()) {
      return;
    }
    try {
      handle(message);
      stream.handled();
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void handle(ConnectRequest message) {
    if (message.hasHello() != (profile == null)) {
      throw WorkerMessages.violation("the first message must be a Hello, and no later one");
    }
    switch (message.getMessageCase()) {
      case HELLO -> hello(message.getHello());
      case WORK_REQUEST -> workRequest(message.getWorkRequest().getRequestNumber());
      case HEARTBEAT -> heartbeat(message.getHeartbeat());
      case OUTCOME -> outcome(message.getOutcome());
      case OUTCOME_BATCH -> outcomes(message.getOutcomeBatch());
      case RELEASE -> release(message.getRelease());
      case PROGRESS -> progress(message.getProgress());
      case PREVIEW -> preview(message.getPreview());
      case CAPACITY_UPDATE -> profile.update(message.getCapacityUpdate());
      case UPLOAD_REQUEST -> uploadRequest(message.getUploadRequest());
      case MESSAGE_NOT_SET -> log.debug("{} says something that is not known here", workerId());
    }
  }

  /** Ends the stream with an error; the worker may come back with what it holds. */
  void fail(Throwable error) {
    if (stream.open()) {
      broken();
      stream.fail(error);
    }
  }

  private void broken() {
    if (stream.end() && joined) {
      dispatcher.left(this);
    }
  }

  void drain(String reason) {
    requests.clear();
    stream.send(WorkerMessages.drain(reason));
  }

  // Hello

  private void hello(Hello hello) {
    profile = new WorkerProfile(hello);
    intake = dispatcher.newIntake(profile, this);
    dispatcher.join(this, hello.getHeldLeasesList());
  }

  /** It is among the dispatcher's workers, and has to be taken off there when it leaves. */
  void joined() {
    joined = true;
  }

  /**
   * The worker is known and its leases are renewed.
   *
   * @param kept of the leases that it named
   * @param lost those that are no longer its own
   * @param uploads whether the result store takes images from workers
   */
  void welcome(
      Collection<OpenLease> kept, Collection<String> lost, String coordinatorId, boolean uploads) {
    if (!stream.open()) {
      return;
    }
    kept.forEach(lease -> leases.put(lease.ref().id(), lease));
    stream.send(
        ConnectResponse.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setCoordinatorId(coordinatorId)
                    .setHeartbeatInterval(proto(config.heartbeatInterval()))
                    .setLeaseDuration(proto(config.duration()))
                    .setUploads(uploads)
                    .addAllLostLeases(lost))
            .build());
    welcomed = true;
    stream.resume();
  }

  private static Duration proto(java.time.Duration duration) {
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  // Work

  private void workRequest(long number) {
    if (number <= lastRequest) {
      throw WorkerMessages.violation(
          "request numbers count up: " + number + " came after " + lastRequest);
    }
    if (requests.size() == MAX_REQUESTS) {
      throw WorkerMessages.violation("at most " + MAX_REQUESTS + " requests may be open");
    }
    lastRequest = number;
    requests.add(number);
    dispatcher.match();
  }

  boolean welcomed() {
    return welcomed;
  }

  boolean wantsWork() {
    return welcomed && stream.open() && !leasing && !requests.isEmpty();
  }

  /** Whether it has nothing to draw. */
  boolean idle() {
    return leases.isEmpty();
  }

  int leaseCount() {
    return leases.size();
  }

  void leasing(boolean leasing) {
    this.leasing = leasing;
  }

  /**
   * Gives the worker the batch that it asked for.
   *
   * @return false if it is gone, or no longer wants one
   */
  boolean give(LeasedBatch batch) {
    if (!stream.open() || requests.isEmpty()) {
      return false;
    }
    leases.put(batch.lease().id(), new OpenLease(batch, System.nanoTime()));
    stream.send(WorkerMessages.lease(requests.remove(), batch, dispatcher.feed().wanted(batch)));
    return true;
  }

  // Leases

  private void heartbeat(Heartbeat heartbeat) {
    Set<String> named = new HashSet<>();
    List<LeaseRef> renewed = new ArrayList<>();
    for (HeldLease held : heartbeat.getLeasesList()) {
      OpenLease lease = leases.get(held.getLeaseId());
      if (lease != null) {
        renewed.add(lease.ref());
        named.add(held.getLeaseId());
      } else {
        stream.send(WorkerMessages.lost(held.getLeaseId(), "it is not held by this worker"));
      }
    }
    // What the worker does not know of any more expires by itself.
    long old = System.nanoTime() - config.duration().toNanos();
    leases
        .values()
        .removeIf(lease -> !named.contains(lease.ref().id()) && lease.grantedAt() - old < 0);
    dispatcher.renew(this, renewed);
  }

  /** The leases whose renewal cannot wait for heartbeats, because the stream is not being read. */
  List<LeaseRef> leasesOfUnreadStream() {
    return stream.unread() ? leaseRefs() : List.of();
  }

  void lost(LeaseRef lease) {
    if (leases.remove(lease.id()) != null) {
      log.info("Worker {} lost lease {}", workerId(), lease.id());
      stream.send(WorkerMessages.lost(lease.id(), "it expired"));
    }
  }

  /**
   * Takes back what the worker holds of a job and has not reported: it stops at the next scale of a
   * batch that has nothing else, and what it reports all the same comes too late.
   */
  void stop(String jobId) {
    for (OpenLease lease : List.copyOf(leases.values())) {
      List<TaskRef> unwanted =
          lease.openTasks().stream().filter(task -> task.jobId().equals(jobId)).toList();
      if (!unwanted.isEmpty()) {
        unwanted.forEach(lease::drop);
        stream.send(WorkerMessages.lost(lease.ref().id(), unwanted, "the job was stopped"));
        forgetIfDone(lease);
        dispatcher.release(lease.ref(), unwanted);
      }
    }
  }

  private void release(Release release) {
    OpenLease lease = leases.get(release.getLeaseId());
    if (lease == null) {
      return;
    }
    List<TaskRef> named =
        release.getTasksCount() == 0
            ? List.copyOf(lease.openTasks())
            : release.getTasksList().stream().map(WorkerMessages::ref).toList();
    List<TaskRef> dropped = named.stream().filter(lease::drop).toList();
    forgetIfDone(lease);
    dispatcher.release(lease.ref(), dropped);
  }

  private void progress(Progress progress) {
    OpenLease lease = leases.get(progress.getLeaseId());
    if (lease != null) {
      lease.progress(progress.getScale(), progress.getScales());
      dispatcher.feed().progress(workerId(), lease);
    }
  }

  private void preview(Preview preview) {
    OpenLease lease = leases.get(preview.getLeaseId());
    if (lease != null && lease.openTasks().contains(WorkerMessages.ref(preview.getTask()))) {
      dispatcher.feed().preview(preview);
    }
  }

  private void forgetIfDone(OpenLease lease) {
    if (lease.done()) {
      leases.remove(lease.ref().id());
    }
  }

  // Outcomes

  private void outcomes(OutcomeBatch batch) {
    if (batch.getOutcomesCount() == 0) {
      throw WorkerMessages.violation("a batch of outcomes must have one");
    }
    stream.acknowledgeInBatches();
    batch.getOutcomesList().forEach(this::outcome);
  }

  private void outcome(Outcome outcome) {
    if (outcome.getOutcomeCase() == Outcome.OutcomeCase.OUTCOME_NOT_SET) {
      throw WorkerMessages.violation("an outcome must have images or a failure");
    }
    OpenLease lease = leases.get(outcome.getLeaseId());
    TaskRef reported = WorkerMessages.ref(outcome.getTask());
    boolean held = lease != null && lease.ref().token() == outcome.getFencingToken();
    Optional<OpenLease.Task> task = held ? lease.report(reported) : Optional.empty();
    if (task.isEmpty()) {
      intake.dropImages(outcome, reported);
      metrics.superseded();
      stream.acknowledge(outcome, OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED);
      stream.flushAcknowledgements();
      return;
    }
    stream.hold(outcome);
    intake.take(lease, task.get(), outcome);
  }

  private void uploadRequest(UploadRequest request) {
    OpenLease lease = leases.get(request.getLeaseId());
    TaskRef named = WorkerMessages.ref(request.getTask());
    boolean held = lease != null && lease.ref().token() == request.getFencingToken();
    Optional<OpenLease.Task> task = held ? lease.find(named) : Optional.empty();
    if (task.isPresent()) {
      intake.grant(lease, task.get(), request);
    } else {
      stream.send(
          WorkerMessages.lost(
              request.getLeaseId(), List.of(named), "it is not held by this worker"));
    }
  }

  @Override
  public void granted(UploadGrant grant) {
    stream.send(ConnectResponse.newBuilder().setUploadGrant(grant).build());
  }

  @Override
  public void settled(OpenLease lease, TaskRef task, TaskVerdict verdict, Outcome outcome) {
    lease.acknowledged(task);
    forgetIfDone(lease);
    count(lease, verdict, outcome);
    stream.acknowledge(
        outcome,
        verdict == TaskVerdict.SUPERSEDED
            ? OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED
            : OutcomeAckStatus.OUTCOME_ACK_STATUS_COMMITTED);
    stream.letGo(outcome);
  }

  @Override
  public void allSettled() {
    stream.flushAcknowledgements();
    dispatcher.match();
  }

  private void count(OpenLease lease, TaskVerdict verdict, Outcome outcome) {
    if (lease.firstSettled() && outcome.hasTimes()) {
      metrics.stages(outcome.getTimes());
      dispatcher
          .speeds()
          .measured(lease.ref().bucket(), outcome.getTimes(), outcome.getBatchImages());
    }
    switch (verdict) {
      case COMMITTED -> {
        if (outcome.hasImages()) {
          imagesDone += outcome.getImages().getImagesCount();
          metrics.succeeded(lease.ref().bucket(), outcome.getImages().getImagesCount());
        } else {
          metrics.failed();
        }
      }
      case RETRIED -> metrics.retried(outcome.getFailure().getReason(), 1);
      case SUPERSEDED -> metrics.superseded();
    }
  }

  @Override
  public void failed(OpenLease lease, TaskRef task, Outcome outcome, Throwable error) {
    if (!stream.open() && Patience.unavailable(error)) {
      log.debug("Worker {} has to report {} again: {}", workerId(), task, error.getMessage());
      return;
    }
    boolean jobGone =
        GrpcErrors.unwrap(error) instanceof BitloomException known
            && known.code() == ErrorCode.JOB_NOT_FOUND;
    if (!jobGone) {
      log.error("The outcome of {} is lost, it will be tried again", task, error);
    }
    settled(lease, task, TaskVerdict.SUPERSEDED, outcome);
  }

  @Override
  public boolean connected() {
    return stream.open();
  }

  // What others ask

  String workerId() {
    return profile == null ? "?" : profile.workerId();
  }

  WorkerProfile profile() {
    return profile;
  }

  Collection<OpenLease> leases() {
    return leases.values();
  }

  List<LeaseRef> leaseRefs() {
    return leases.values().stream().map(OpenLease::ref).toList();
  }

  WorkerView view() {
    return new WorkerView(
        workerId(),
        profile.version(),
        profile.device(),
        List.copyOf(profile.modelNames()),
        stream.open(),
        since,
        imagesDone,
        leases.values().stream().map(WorkerView.LeaseView::of).toList());
  }
}
