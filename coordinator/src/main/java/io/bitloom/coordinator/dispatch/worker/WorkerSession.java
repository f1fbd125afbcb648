package io.bitloom.coordinator.dispatch.worker;

import com.google.protobuf.Duration;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Progress;
import io.bitloom.v1.Welcome;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of one worker: what it asks for, what it holds, what it reports. Messages are handled
 * in the order they came, in the dispatch loop, to which all state is confined.
 */
final class WorkerSession implements StreamObserver<ConnectRequest> {

  private static final Logger log = LoggerFactory.getLogger(WorkerSession.class);

  private static final int MAX_REQUESTS = 64;

  private final WorkerStream stream;
  private final OpenLeases leases;
  private final Dispatcher dispatcher;
  private final LeaseConfig config;
  private final DispatchMetrics metrics;
  private final Instant since = Instant.now();

  private WorkerProfile profile;
  private OutcomeReports reports;
  private boolean joined;
  private boolean welcomed;
  private boolean leasing;
  private long lastRequest;
  private final Deque<Long> requests = new ArrayDeque<>();

  WorkerSession(
      ServerCallStreamObserver<ConnectResponse> observer,
      Dispatcher dispatcher,
      LeaseConfig config,
      DispatchMetrics metrics) {
    this.stream = new WorkerStream(observer);
    this.leases = new OpenLeases(stream, dispatcher);
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
      case HEARTBEAT ->
          dispatcher.renew(this, leases.heartbeat(message.getHeartbeat(), config.duration()));
      case OUTCOME -> reports.take(message.getOutcome());
      case OUTCOME_BATCH -> reports.take(message.getOutcomeBatch());
      case RELEASE -> leases.release(message.getRelease());
      case PROGRESS -> progress(message.getProgress());
      case PREVIEW -> preview(message.getPreview());
      case CAPACITY_UPDATE -> profile.update(message.getCapacityUpdate());
      case UPLOAD_REQUEST -> reports.upload(message.getUploadRequest());
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
    reports = new OutcomeReports(profile, stream, leases, dispatcher, metrics);
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
    kept.forEach(leases::add);
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
    return leases.all().isEmpty();
  }

  int leaseCount() {
    return leases.all().size();
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
    leases.add(new OpenLease(batch, System.nanoTime()));
    stream.send(WorkerMessages.lease(requests.remove(), batch, dispatcher.feed().wanted(batch)));
    return true;
  }

  // Leases

  /** The leases whose renewal cannot wait for heartbeats, because the stream is not being read. */
  List<LeaseRef> leasesOfUnreadStream() {
    return stream.unread() ? leases.refs() : List.of();
  }

  private void progress(Progress progress) {
    leases
        .find(progress.getLeaseId())
        .ifPresent(
            lease -> {
              lease.progress(progress.getScale(), progress.getScales());
              dispatcher.feed().progress(workerId(), lease);
            });
  }

  private void preview(Preview preview) {
    Optional<OpenLease> lease = leases.find(preview.getLeaseId());
    if (lease.flatMap(held -> held.find(WorkerMessages.ref(preview.getTask()))).isPresent()) {
      dispatcher.feed().preview(preview);
    }
  }

  // What others ask

  String workerId() {
    return profile == null ? "?" : profile.workerId();
  }

  WorkerProfile profile() {
    return profile;
  }

  OpenLeases leases() {
    return leases;
  }

  WorkerView view() {
    return new WorkerView(
        workerId(),
        profile.version(),
        profile.device(),
        List.copyOf(profile.modelNames()),
        stream.open(),
        since,
        reports.imagesDone(),
        leases.all().stream().map(WorkerView.LeaseView::of).toList());
  }
}
