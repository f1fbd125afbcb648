package io.bitloom.worker.session;

import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.common.log.LogFields;
import io.bitloom.common.rules.Pools;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.secret.Secret;
import io.bitloom.common.trace.Tracing;
import io.bitloom.engine.Engine;
import io.bitloom.v1.CapacityUpdate;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseLost;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.ModelSet;
import io.bitloom.v1.ModelStates;
import io.bitloom.v1.Release;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.UploadRequest;
import io.bitloom.v1.Welcome;
import io.bitloom.v1.WorkRequest;
import io.bitloom.v1.WorkerModel;
import io.bitloom.worker.models.WorkerModels;
import io.grpc.Status;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker's standing with the coordinator, over as many connections as it takes. It asks for
 * leases so that the next batch waits while one is drawn, renews what it holds, and keeps every
 * outcome until the coordinator has acknowledged it; while the coordinator is away the device goes
 * on with what is held.
 *
 * <p>Everything happens on one thread, the loop: calls from outside, from gRPC and from the engine
 * are queued for it, so the fields below need no locks.
 */
public final class CoordinatorSession implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CoordinatorSession.class);
  private static final long PROGRESS_INTERVAL_NANOS = 500_000_000;

  private final SessionConfig config;
  private final SessionModels models;
  private final WorkerTraces traces;
  private final SessionMetrics metrics;
  private final ScheduledThreadPoolExecutor loop;
  private final CoordinatorLink link;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final LeaseLedger held = new LeaseLedger();
  private final ImageUploads uploads;
  private final Secret instance = Secret.draw();

  private long requestNumber; // of the current connection
  private int openRequests; // of the current connection, without a lease yet
  private boolean toldModels; // over the current connection, which versions it shall have
  private boolean leaving; // the current connection: no more work over it
  private boolean draining; // for good
  private volatile int leasesOnDevice; // others only read it
  private long nextProgress = System.nanoTime();
  private volatile boolean connected;

  /** A session of a worker that has one model and takes no other. */
  public CoordinatorSession(
      SessionConfig config, Engine engine, MeterRegistry registry, Tracing tracing) {
    this(config, Optional.of(engine), Optional.empty(), registry, tracing);
  }

  /**
   * @param own the model that the worker was started with
   * @param cluster versions that the cluster keeps, if the worker takes some
   */
  public CoordinatorSession(
      SessionConfig config,
      Optional<Engine> own,
      Optional<WorkerModels> cluster,
      MeterRegistry registry,
      Tracing tracing) {
    this.traces = new WorkerTraces(tracing);
    this.config = config;
    this.metrics = new SessionMetrics(registry, this::isConnected);
    this.loop =
        new ScheduledThreadPoolExecutor(
            1,
            task -> new Thread(task, "session"),
            new ThreadPoolExecutor.DiscardPolicy()); // late callbacks after the end
    this.loop.setRemoveOnCancelPolicy(true);
    this.link = new CoordinatorLink(config, loop, new LinkEvents());
    this.uploads = new ImageUploads(loop, new UploadEvents(), traces);
    this.models =
        new SessionModels(
            own,
            cluster,
            traces,
            (model, schedule) -> loop.execute(() -> sendCapacity(model, schedule)));
    cluster.ifPresent(versions -> versions.onChange(() -> loop.execute(this::sendModelStates)));
  }

  /** Connects, and reconnects until the session ends. */
  public void start() {
    loop.execute(link::connect);
  }

  /** Whether a coordinator has welcomed the worker and the connection stands. */
  public boolean isConnected() {
    return connected;
  }

  /** Whether anything is drawn or waits for the device. */
  public boolean isBusy() {
    return leasesOnDevice > 0;
  }

  /**
   * Completes when the session is over: normally after {@link #drain} or {@link #close}, with an
   * exception if the coordinator refuses the worker.
   */
  public CompletableFuture<Void> ended() {
    return ended;
  }

  /**
   * Takes no more leases, hands back what was not started, delivers the rest, then ends.
   *
   * @param patience after which what is still being drawn is handed back, too; the device stops at
   *     its next scale
   */
  public void drain(String reason, Duration patience) {
    loop.execute(
        () -> {
          if (!draining) {
            log.info("draining: {}", reason);
            draining = true;
            leave(reason);
            loop.schedule(this::handBackRunning, patience.toMillis(), TimeUnit.MILLISECONDS);
          }
        });
  }

  private void handBackRunning() {
    List<Release> undrawn = held.releaseUndrawn("the worker has to stop");
    if (!undrawn.isEmpty()) {
      log.info("handing back what is not drawn yet: the time to end is nearly over");
    }
    release(undrawn);
    leaveIfNothingIsHeld();
  }

  /** Ends the session now; leases that are still held expire. */
  @Override
  public void close() {
    loop.execute(
        () -> {
          link.stop();
          end();
        });
  }

  private final class LinkEvents implements CoordinatorLink.Listener {
    @Override
    public Hello hello() {
      requestNumber = 0;
      openRequests = 0;
      leaving = draining;
      toldModels = false;
      String version = CoordinatorSession.class.getPackage().getImplementationVersion();
      // Coordinators of before there were pools would refuse the field.
      boolean ofDefault = config.pool().equals(Pools.DEFAULT);
      return Hello.newBuilder()
          .setWorkerId(config.workerId())
          .setVersion(version == null ? "development" : version)
          .setDevice(config.device())
          .addAllModels(models.announced())
          .setTakesModels(models.cluster().isPresent())
          .addAllHeldLeases(held.leasesWithPrompts())
          .setInstanceSecret(instance.text())
          .setForm(CoordinatorLink.FORM)
          .setPool(ofDefault ? "" : config.pool())
          .build();
    }

    @Override
    public List<HeldLease> heldLeases() {
      return held.leases();
    }

    @Override
    public void welcomed(Welcome welcome, String address) {
      connected = true;
      traces.welcomed(welcome.getTraceRatio());
      log.info(
          "ready: {} draws {} on {} for coordinator {} at {}",
          config.workerId(),
          models.announced().stream().map(WorkerModel::getName).toList(),
          config.device(),
          welcome.getCoordinatorId(),
          address);
      for (String leaseId : welcome.getLostLeasesList()) {
        log.atWarn()
            .addKeyValue(LogFields.LEASE, leaseId)
            .log("lease {} was lost while there was no connection", leaseId);
        giveUp(leaseId, List.of());
      }
      held.sendAllAgain(welcome.getUploads());
      settle();
    }

    @Override
    public void received(ConnectResponse message) {
      switch (message.getMessageCase()) {
        case LEASE -> leased(message.getLease());
        case LEASE_VERDICTS -> acknowledged(message.getLeaseVerdicts());
        case LEASE_LOST -> lost(message.getLeaseLost());
        case UPLOAD_GRANT -> uploads.granted(message.getUploadGrant());
        case MODEL_SET -> wanted(message.getModelSet());
        case DRAIN -> {
          log.info("the coordinator sends its workers away: {}", message.getDrain().getReason());
          leave("the coordinator drains");
        }
        case WELCOME, OUTCOME_ACK, OUTCOME_ACK_BATCH, MESSAGE_NOT_SET ->
            log.debug("a message of another form is ignored: {}", message.getMessageCase());
      }
    }

    @Override
    public void ready() {
      sendOutcomes();
    }

    @Override
    public boolean disconnected() {
      connected = false;
      metrics.disconnected();
      if (draining && held.isEmpty()) {
        end();
      }
      return !ended.isDone();
    }

    @Override
    public void refused(Status status) {
      ended.completeExceptionally(status.asException());
      loop.shutdown();
    }
  }

  // Work coming in

  private void leased(Lease lease) {
    openRequests = Math.max(0, openRequests - 1);
    if (LeasedTasks.count(lease) < 1) {
      log.atWarn()
          .addKeyValue(LogFields.LEASE, lease.getLeaseId())
          .log("lease {} is empty", lease.getLeaseId());
      return;
    }
    Optional<SessionModels.Drawn> model = models.take(lease.getModel());
    if (model.isEmpty()) {
      handBack(lease);
      settle();
      return;
    }
    boolean everyScale = lease.getWatch().getEveryScale();
    CompletableFuture<Void> drawn =
        model
            .get()
            .work()
            .start(lease, held, message -> display(message, everyScale), this::finished);
    leasesOnDevice++;
    drawn.thenRun(() -> deviceIsDone(lease.getModel()));
    if (leaving) {
      release(held.releaseUnstarted("the worker is leaving"));
    }
    settle();
  }

  /** It was on its way when the worker said that it draws with this model no more. */
  private void handBack(Lease lease) {
    log.info("lease {} is handed back: {} is not here", lease.getLeaseId(), lease.getModel());
    release(
        List.of(
            Release.newBuilder()
                .setLeaseId(lease.getLeaseId())
                .setFencingToken(lease.getFencingToken())
                .setLeaseSecret(lease.getSecret())
                .addAllTasks(LeasedTasks.refs(lease))
                .setReason("the worker does not draw with " + lease.getModel())
                .build()));
  }

  private void wanted(ModelSet set) {
    toldModels = true;
    models.cluster().ifPresent(cluster -> cluster.want(set.getVersionsList()));
    sendModelStates();
  }

  private void sendModelStates() {
    models
        .cluster()
        .filter(cluster -> toldModels)
        .ifPresent(
            cluster ->
                link.send(
                    ConnectRequest.newBuilder()
                        .setModelStates(
                            ModelStates.newBuilder()
                                .addAllModels(cluster.states())
                                .addAllReady(models.ready()))
                        .build()));
  }

  private void finished(LeasedOutcome outcome) {
    loop.execute(
        () -> {
          held.finished(outcome);
          settle();
        });
  }

  private void deviceIsDone(String model) {
    models.done(model);
    loop.execute(
        () -> {
          leasesOnDevice--;
          settle();
        });
  }

  private void acknowledged(LeaseVerdicts verdicts) {
    log.debug(
        "outcomes of lease {}: {} ranges committed, {} superseded",
        verdicts.getLeaseId(),
        verdicts.getCommittedCount(),
        verdicts.getSupersededCount());
    held.acknowledged(verdicts);
    settle();
  }

  private void lost(LeaseLost lost) {
    log.atInfo()
        .addKeyValue(LogFields.LEASE, lost.getLeaseId())
        .log("lease {} is lost: {}", lost.getLeaseId(), lost.getReason());
    giveUp(lost.getLeaseId(), lost.getTasksList());
    settle();
  }

  /**
   * @param tasks empty: the whole lease
   */
  private void giveUp(String leaseId, List<TaskRef> tasks) {
    held.giveUp(leaseId, tasks);
    uploads.forget(leaseId, tasks);
  }

  // Messages going out

  /** Sends what can be sent and asks for what can be taken, after anything has changed. */
  private void settle() {
    metrics.unacknowledged(held.unacknowledgedBytes());
    sendOutcomes();
    requestWork();
    leaveIfNothingIsHeld();
  }

  private void sendOutcomes() {
    while (link.isReady()) {
      Optional<LeasedOutcome> unstored = held.nextUnstored();
      if (unstored.isEmpty()) {
        break;
      }
      uploads.start(unstored.get());
    }
    while (link.isReady()) {
      List<LeasedOutcome> outcomes = held.nextUnsent();
      if (outcomes.isEmpty()) {
        return;
      }
      link.send(
          ConnectRequest.newBuilder().setLeaseOutcomes(LeasedOutcome.message(outcomes)).build());
      if (traces.on()) {
        outcomes.stream()
            .filter(LeasedOutcome::carriesBytes)
            .forEach(outcome -> traces.uploaded(outcome, outcome.ready(), "coordinator", ""));
      }
    }
  }

  private final class UploadEvents implements ImageUploads.Listener {
    @Override
    public void ask(UploadRequest request) {
      link.send(ConnectRequest.newBuilder().setUploadRequest(request).build());
    }

    @Override
    public void uploaded(LeasedOutcome outcome) {
      held.uploaded(outcome);
      settle();
    }

    @Override
    public void givenUp(LeasedOutcome outcome) {
      held.notUploaded(outcome);
      settle();
    }
  }

  private void requestWork() {
    while (link.isUp()
        && !leaving
        && openRequests + leasesOnDevice < config.leasesAhead()
        && held.unacknowledgedBytes() < config.maxUnacknowledgedBytes()) {
      openRequests++;
      requestNumber++;
      WorkRequest request = WorkRequest.newBuilder().setRequestNumber(requestNumber).build();
      link.send(ConnectRequest.newBuilder().setWorkRequest(request).build());
    }
  }

  private void sendCapacity(AnnouncedModel model, ScaleSchedule schedule) {
    CapacityUpdate update =
        CapacityUpdate.newBuilder()
            .setModel(model.name())
            .addCapacities(model.capacity(schedule))
            .build();
    link.send(ConnectRequest.newBuilder().setCapacityUpdate(update).build());
  }

  /**
   * Shows progress or a preview, which neither waits for the connection nor is repeated.
   *
   * @param everyScale whether the coordinator wants to hear of every scale
   */
  private void display(ConnectRequest message, boolean everyScale) {
    loop.execute(
        () -> {
          if (message.hasProgress()) {
            if (!everyScale && System.nanoTime() - nextProgress < 0) {
              return;
            }
            nextProgress = System.nanoTime() + PROGRESS_INTERVAL_NANOS;
          }
          if (link.isReady()) {
            link.send(message);
          }
        });
  }

  // Leaving

  private void leave(String reason) {
    leaving = true;
    release(held.releaseUnstarted(reason));
    leaveIfNothingIsHeld();
  }

  private void release(List<Release> releases) {
    releases.forEach(release -> link.send(ConnectRequest.newBuilder().setRelease(release).build()));
  }

  private void leaveIfNothingIsHeld() {
    if (!leaving || !held.isEmpty()) {
      return;
    }
    if (link.isOpen()) {
      link.finish();
    } else if (draining) {
      end();
    }
  }

  private void end() {
    connected = false;
    ended.complete(null);
    loop.shutdownNow();
  }
}
