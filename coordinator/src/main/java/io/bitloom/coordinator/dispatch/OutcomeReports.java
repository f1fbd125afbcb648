package io.bitloom.coordinator.dispatch;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.resilience.Patience;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.OutcomeBatch;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the worker of one session reports of its prompts: checks that it still holds them, hands the
 * outcomes to the intake, acknowledges and counts them. Confined to the dispatch loop.
 */
final class OutcomeReports implements OutcomeIntake.Listener {

  private static final Logger log = LoggerFactory.getLogger(OutcomeReports.class);

  private final WorkerProfile worker;
  private final WorkerStream stream;
  private final OpenLeases leases;
  private final Dispatcher dispatcher;
  private final DispatchMetrics metrics;
  private final OutcomeIntake intake;
  private long imagesDone;

  OutcomeReports(
      WorkerProfile worker,
      WorkerStream stream,
      OpenLeases leases,
      Dispatcher dispatcher,
      DispatchMetrics metrics) {
    this.worker = worker;
    this.stream = stream;
    this.leases = leases;
    this.dispatcher = dispatcher;
    this.metrics = metrics;
    this.intake = dispatcher.newIntake(worker, this);
  }

  /** Images that this session brought. */
  long imagesDone() {
    return imagesDone;
  }

  void take(OutcomeBatch batch) {
    if (batch.getOutcomesCount() == 0) {
      throw WorkerMessages.violation("a batch of outcomes must have one");
    }
    stream.acknowledgeInBatches();
    batch.getOutcomesList().forEach(this::take);
  }

  void take(Outcome outcome) {
    if (outcome.getOutcomeCase() == Outcome.OutcomeCase.OUTCOME_NOT_SET) {
      throw WorkerMessages.violation("an outcome must have images or a failure");
    }
    TaskRef reported = WorkerMessages.ref(outcome.getTask());
    Optional<OpenLease> lease = leases.find(outcome.getLeaseId(), outcome.getFencingToken());
    Optional<OpenLease.Task> task = lease.flatMap(held -> held.report(reported));
    if (task.isEmpty()) {
      intake.dropImages(outcome, reported);
      metrics.superseded();
      stream.acknowledge(outcome, OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED);
      stream.flushAcknowledgements();
      return;
    }
    stream.hold(outcome);
    intake.take(lease.get(), task.get(), outcome);
  }

  /** The worker asks where it may put the images of a prompt. */
  void upload(UploadRequest request) {
    TaskRef named = WorkerMessages.ref(request.getTask());
    Optional<OpenLease> lease = leases.find(request.getLeaseId(), request.getFencingToken());
    Optional<OpenLease.Task> task = lease.flatMap(held -> held.find(named));
    if (task.isPresent()) {
      intake.grant(lease.get(), task.get(), request);
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
    leases.forgetIfDone(lease);
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
          metrics.failed(outcome.getFailure().getReason(), 1);
        }
      }
      case RETRIED -> metrics.retried(outcome.getFailure().getReason(), 1);
      case SUPERSEDED -> metrics.superseded();
    }
  }

  @Override
  public void failed(OpenLease lease, TaskRef task, Outcome outcome, Throwable error) {
    if (!stream.open() && Patience.unavailable(error)) {
      log.debug(
          "Worker {} has to report {} again: {}", worker.workerId(), task, error.getMessage());
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
}
