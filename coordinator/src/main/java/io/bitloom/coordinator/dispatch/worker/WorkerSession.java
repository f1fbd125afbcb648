package io.bitloom.coordinator.dispatch.worker;

import com.google.protobuf.Duration;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.log.LogFields;
import io.bitloom.common.model.VersionName;
import io.bitloom.coordinator.auth.WorkerRights;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.BatchTaker;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ModelSet;
import io.bitloom.v1.ModelStates;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Progress;
import io.bitloom.v1.Welcome;
import io.bitloom.v1.WorkerModel;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of one worker: what it asks for, what it holds, what it reports. Messages are handled
 * in the order they came, in the dispatch loop, to which all state is confined. Whatever goes wrong
 * in handling one ends the stream with an error, so that the worker comes back with what it holds.
 */
final class WorkerSession implements StreamObserver<ConnectRequest>, BatchTaker {

  private static final Logger log = LoggerFactory.getLogger(WorkerSession.class);

  private static final int MAX_REQUESTS = 64;

  /** Every call of the queue ends long before; a Hello must not go unanswered, whatever happens. */
  private static final java.time.Duration HELLO_PATIENCE = java.time.Duration.ofSeconds(30);

  private final WorkerRights rights;
  private final SessionParts parts;
  private final WorkerStream stream;
  private final OpenLeases leases;
  private final Instant since = Instant.now();

  private WorkerProfile profile;
  private OutcomeReports reports;
  private int form;
  private boolean joined;
  private boolean welcomed;
  private Future<?> handOver = CompletableFuture.completedFuture(null);
  private Optional<List<String>> toldWanted = Optional.empty();
  private Set<String> ready = Set.of();
  private long lastRequest;
  private final Deque<Long> requests = new ArrayDeque<>();

  WorkerSession(
      WorkerRights rights, ServerCallStreamObserver<ConnectResponse> observer, SessionParts parts) {
    this.rights = rights;
    this.parts = parts;
    this.stream = new WorkerStream(observer);
    this.leases = new OpenLeases(parts.loop(), stream, parts.queue().leases());
    observer.setOnCancelHandler(() -> parts.loop().execute(this::broken));
  }

  // The stream

  @Override
  public void onNext(ConnectRequest message) {
    stream.came(message);
    parts.loop().execute(() -> receive(message));
  }

  @Override
  public void onError(Throwable error) {
    parts.loop().execute(this::broken);
  }

  @Override
  public void onCompleted() {
    parts
        .loop()
        .execute(
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
      stream.handled(message);
    } catch (RuntimeException e) {
      fail(e);
    } catch (Error e) {
      fail(e);
      throw e; // the loop reports it
    }
  }

  private void handle(ConnectRequest message) {
    if (message.hasHello() != (profile == null)) {
      throw WorkerMessages.violation("the first message must be a Hello, and no later one");
    }
    switch (message.getMessageCase()) {
      case HELLO -> hello(message.getHello());
      case WORK_REQUEST -> workRequest(message.getWorkRequest().getRequestNumber());
      case HEARTBEAT -> renew(leases.heartbeat(message.getHeartbeat(), parts.config().duration()));
      case OUTCOME -> {
        requireForm(form < WorkerMessages.RELATIVE);
        reports.take(message.getOutcome());
      }
      case OUTCOME_BATCH -> {
        requireForm(form < WorkerMessages.RELATIVE);
        reports.take(message.getOutcomeBatch());
      }
      case LEASE_OUTCOMES -> {
        requireForm(form >= WorkerMessages.RELATIVE);
        reports.take(message.getLeaseOutcomes());
      }
      case RELEASE -> leases.release(message.getRelease());
      case PROGRESS -> progress(message.getProgress());
      case PREVIEW -> preview(message.getPreview());
      case CAPACITY_UPDATE -> {
        profile.update(message.getCapacityUpdate());
        parts.matcher().changed(profile);
      }
      case UPLOAD_REQUEST -> reports.upload(message.getUploadRequest());
      case MODEL_STATES -> states(message.getModelStates());
      case MESSAGE_NOT_SET -> log.debug("{} says something that is not known here", workerId());
    }
  }

  private void requireForm(boolean right) {
    if (!right) {
      throw WorkerMessages.violation("outcomes of another form than the Hello's, which is " + form);
    }
  }

  /** Ends the stream with an error; the worker may come back with what it holds. */
  @Override
  public void fail(Throwable error) {
    if (stream.open()) {
      try {
        broken();
      } finally {
        stream.fail(error);
      }
    }
  }

  private void broken() {
    if (stream.end() && joined) {
      left();
    }
  }

  void drain(String reason) {
    requests.clear();
    stream.send(WorkerMessages.drain(reason));
  }

  // A worker comes and goes

  /** Takes the worker in, with those of its leases that are still its own. */
  private void hello(Hello hello) {
    profile = new WorkerProfile(hello);
    form = Math.min(WorkerMessages.RELATIVE, Math.max(1, hello.getForm()));
    OutcomeAnswers answers =
        new OutcomeAnswers(form == WorkerMessages.RELATIVE, profile, stream, leases, parts);
    reports =
        new OutcomeReports(
            profile,
            stream,
            leases,
            new OutcomeCommits(profile, answers, this::fail, parts),
            parts.traces());
    if (parts.roster().closed()) {
      throw new BitloomException(ErrorCode.SHUTTING_DOWN, Roster.CLOSED);
    }
    checkRights();
    Optional<WorkerSession> last = parts.roster().put(this);
    joined = true;
    parts.models().connected(profile);
    Map<LeaseRef, OpenLease> before = last.map(WorkerSession::replaced).orElse(Map.of());
    HeldLeases named = HeldLeases.of(hello.getHeldLeasesList(), before);
    parts
        .loop()
        .after(
            () -> known(named),
            (claimed, error) -> {
              if (error != null) {
                fail(unanswered(error));
              } else {
                welcome(named.claimed(claimed));
              }
            },
            this::fail);
    // What the worker does not name it never got: nobody works on it.
    before.values().forEach(lease -> leases.handBack(lease, named.unnamed(lease)));
  }

  /** Whether the worker's token may be what the worker says that it is. */
  private void checkRights() {
    rights.checkWorker(workerId());
    profile.models().forEach(this::checkRights);
  }

  /** A token names models, not their versions, and the digests that these may have. */
  private void checkRights(WorkerModel model) {
    rights.checkModel(VersionName.modelOf(model.getName()), model.getDigest());
  }

  /** The worker has connected again, and this session is over. */
  private Map<LeaseRef, OpenLease> replaced() {
    Map<LeaseRef, OpenLease> held = new HashMap<>();
    leases.all().forEach(lease -> held.put(lease.ref(), lease));
    fail(WorkerMessages.violation("this worker has connected again"));
    return held;
  }

  /** Makes the worker's models known and its leases last; completes with what these hold. */
  private CompletionStage<Map<LeaseRef, Set<TaskRef>>> known(HeldLeases named) {
    return parts
        .models()
        .announce(profile.models())
        .thenCompose(
            done ->
                named.leases().isEmpty()
                    ? CompletableFuture.completedStage(Map.<LeaseRef, Set<TaskRef>>of())
                    : parts
                        .queue()
                        .leases()
                        .claim(workerId(), named.leases().keySet(), parts.config().duration()))
        .toCompletableFuture()
        .copy()
        .orTimeout(HELLO_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Throwable unanswered(Throwable error) {
    return error instanceof TimeoutException
        ? new BitloomException(
            ErrorCode.QUEUE_UNAVAILABLE,
            "the queue has not answered for " + HELLO_PATIENCE.toSeconds() + " s")
        : error;
  }

  private void welcome(HeldLeases held) {
    log.atInfo()
        .addKeyValue(LogFields.WORKER, workerId())
        .log(
            "Worker {} connected: {}, models {}",
            workerId(),
            profile.device(),
            profile.modelNames());
    if (!stream.open()) {
      return;
    }
    held.leases().values().forEach(leases::add);
    stream.send(
        ConnectResponse.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setCoordinatorId(parts.coordinatorId())
                    .setHeartbeatInterval(proto(parts.config().heartbeatInterval()))
                    .setLeaseDuration(proto(parts.config().duration()))
                    .setUploads(parts.images().takesUploads())
                    .setForm(form)
                    .setTraceRatio(parts.traces().ratio())
                    .addAllLostLeases(held.lost()))
            .build());
    welcomed = true;
    if (takesModels()) {
      parts.wanted().hear();
      tellWhatIsWanted();
    }
    stream.resume();
    parts.matcher().add(this);
    parts.connectionAge().ifPresent(this::handOverAfter);
  }

  /**
   * Sends the worker on when the connection is old, so that workers spread over coordinators that
   * came after it. All that came at once, after a restart, do not go at once.
   */
  private void handOverAfter(java.time.Duration age) {
    long millis = age.toMillis();
    long jitter = millis / 10;
    long wait = millis + ThreadLocalRandom.current().nextLong(-jitter, jitter + 1);
    handOver =
        parts
            .loop()
            .schedule(
                () -> drain("this connection is " + wait / 1000 + " s old, connect anew"),
                java.time.Duration.ofMillis(wait));
  }

  private static Duration proto(java.time.Duration duration) {
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  /**
   * The stream has ended. The leases get the grace to live, unless the worker renews them, here or
   * with another coordinator.
   */
  private void left() {
    handOver.cancel(false);
    parts.matcher().remove(this);
    parts.models().disconnected(profile);
    if (parts.roster().closed() || !parts.roster().has(this)) {
      parts.models().gone(profile);
      return;
    }
    if (leases.all().isEmpty()) {
      log.atInfo().addKeyValue(LogFields.WORKER, workerId()).log("Worker {} left", workerId());
      parts.roster().remove(this);
      parts.models().gone(profile);
      return;
    }
    java.time.Duration grace = parts.config().reconnectGrace();
    log.atInfo()
        .addKeyValue(LogFields.WORKER, workerId())
        .log(
            "Worker {} was cut off with {} leases, which wait {} ms for it",
            workerId(),
            leases.all().size(),
            grace.toMillis());
    List<LeaseRef> held = leases.refs();
    DispatchLoop.callAndReport(
        "shorten leases", () -> parts.queue().leases().renew(workerId(), held, grace));
    parts.loop().schedule(this::forget, grace);
  }

  private void forget() {
    parts.models().gone(profile);
    if (parts.roster().remove(this)) {
      int prompts = leases.all().stream().mapToInt(lease -> lease.openTasks().size()).sum();
      parts.metrics().retried(ErrorCode.WORKER_LOST.name(), prompts);
    }
  }

  // Versions that the cluster keeps

  boolean takesModels() {
    return welcomed && profile.takesModels();
  }

  /** Tells the worker what it shall have, unless that is what it was told last. */
  void tellWhatIsWanted() {
    Optional<List<String>> versions =
        parts.wanted().of(profile.pool()).map(all -> all.stream().filter(rights::mayHave).toList());
    if (versions.isPresent() && takesModels() && stream.open() && !versions.equals(toldWanted)) {
      toldWanted = versions;
      stream.send(
          ConnectResponse.newBuilder()
              .setModelSet(ModelSet.newBuilder().addAllVersions(versions.get()))
              .build());
    }
  }

  /** What is not ready any more gets no more leases at once; what is new must be the only one. */
  private void states(ModelStates states) {
    List<WorkerModel> added = profile.states(states);
    added.forEach(this::checkRights);
    ready = states.getReadyList().stream().map(WorkerModel::getName).collect(Collectors.toSet());
    for (WorkerModel model : List.copyOf(profile.models())) {
      if (VersionName.hasReference(model.getName()) && !ready.contains(model.getName())) {
        log.info("Worker {} does not draw with {} any more", workerId(), model.getName());
        parts.models().removed(profile, model);
      }
    }
    parts.matcher().changed(profile);
    for (WorkerModel model : added) {
      parts
          .loop()
          .after(
              () -> parts.models().announce(List.of(model)),
              (done, error) -> announced(model, error),
              this::fail);
    }
  }

  private void announced(WorkerModel model, Throwable error) {
    if (error != null) {
      fail(error); // it says so again when it is back
    } else if (stream.open() && ready.contains(model.getName())) {
      log.info("Worker {} draws with {}", workerId(), model.getName());
      parts.models().added(profile, model);
      parts.matcher().changed(profile);
    }
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
    parts.matcher().changed(profile);
  }

  boolean welcomed() {
    return welcomed;
  }

  boolean connected() {
    return stream.open();
  }

  boolean isOfSameToken(WorkerSession other) {
    return rights.token().equals(other.rights.token());
  }

  /** Whether this is the same worker that has connected again. */
  boolean isSameProcess(WorkerSession other) {
    return isOfSameToken(other) && profile.instance().equals(other.profile.instance());
  }

  @Override
  public boolean wantsBatch() {
    return welcomed && stream.open() && !requests.isEmpty();
  }

  @Override
  public int batches() {
    return leases.all().size();
  }

  @Override
  public boolean take(LeasedBatch batch) {
    boolean has = profile.capacity(batch.lease().bucket()) > 0;
    if (!has || !stream.open() || requests.isEmpty()) {
      return false;
    }
    leases.add(new OpenLease(batch, System.nanoTime()));
    if (parts.traces().on()) {
      parts.traces().leased(batch, workerId());
    }
    stream.send(WorkerMessages.lease(form, requests.remove(), batch, parts.feed().wanted(batch)));
    return true;
  }

  // Leases

  private void renew(Collection<LeaseRef> held) {
    if (held.isEmpty()) {
      return;
    }
    parts
        .loop()
        .after(
            () -> parts.queue().leases().renew(workerId(), held, parts.config().duration()),
            (lost, error) -> {
              if (error == null) {
                lost.forEach(leases::lost);
              } else {
                DispatchLoop.report("renew leases of " + workerId(), error);
              }
            },
            this::fail);
  }

  /** Renews leases whose renewal cannot wait for heartbeats, because the stream is not read. */
  void renewIfUnread() {
    if (stream.unread()) {
      renew(leases.refs());
    }
  }

  /** Nobody wants the prompts of this job any more. */
  void stop(String jobId) {
    leases.stop(jobId);
  }

  private void progress(Progress progress) {
    leases
        .find(progress.getLeaseId())
        .ifPresent(
            lease -> {
              lease.progress(progress.getScale(), progress.getScales());
              parts.feed().progress(workerId(), lease);
            });
  }

  private void preview(Preview preview) {
    Optional<OpenLease> lease = leases.find(preview.getLeaseId());
    if (lease.flatMap(held -> held.find(WorkerMessages.ref(preview.getTask()))).isPresent()) {
      parts.feed().preview(preview);
    }
  }

  // What others ask

  String workerId() {
    return profile == null ? "?" : profile.workerId();
  }

  @Override
  public WorkerProfile profile() {
    return profile;
  }

  WorkerView view() {
    return new WorkerView(
        workerId(),
        profile.version(),
        profile.device(),
        profile.pool(),
        List.copyOf(profile.modelNames()),
        stream.open(),
        since,
        reports.imagesDone(),
        leases.all().stream().map(WorkerView.LeaseView::of).toList());
  }
}
