package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.log.LogFields;
import io.bitloom.common.resilience.RetryPolicy;
import io.bitloom.coordinator.dispatch.matching.Matcher;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.coordinator.telemetry.Exemplars;
import io.bitloom.coordinator.tracing.PromptTraces;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.UploadGrant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * What the worker of one session is told of its outcomes: acknowledges and counts them. Confined to
 * the dispatch loop.
 */
final class OutcomeAnswers {

  private static final Logger log = LoggerFactory.getLogger(OutcomeAnswers.class);

  private final WorkerProfile worker;
  private final WorkerStream stream;
  private final OpenLeases leases;
  private final Matcher matcher;
  private final DispatchMetrics metrics;
  private final PromptTraces traces;
  private final boolean relative;
  private long imagesDone;

  /**
   * @param relative whether the worker names prompts by their places in the lease
   */
  OutcomeAnswers(
      boolean relative,
      WorkerProfile worker,
      WorkerStream stream,
      OpenLeases leases,
      SessionParts parts) {
    this.relative = relative;
    this.worker = worker;
    this.stream = stream;
    this.leases = leases;
    this.matcher = parts.matcher();
    this.metrics = parts.metrics();
    this.traces = parts.traces();
  }

  /** Images that this session brought. */
  long imagesDone() {
    return imagesDone;
  }

  /** Whether the worker still waits for an answer. */
  boolean awaited() {
    return stream.open();
  }

  /** Where the worker may put images. */
  void granted(UploadGrant grant) {
    stream.send(ConnectResponse.newBuilder().setUploadGrant(grant).build());
  }

  /** A prompt is not the worker's, or no longer. */
  void refused() {
    metrics.superseded();
  }

  /**
   * An outcome is done with; told with the next {@link #flush}.
   *
   * @param verdict what became of the outcome
   */
  void settled(Report report, TaskVerdict verdict) {
    OpenLease lease = report.lease();
    boolean taken = verdict != TaskVerdict.SUPERSEDED;
    lease.acknowledged(report.task(), taken);
    leases.forgetIfDone(lease);
    count(report, verdict);
    if (traces.on()) {
      trace(report, verdict);
    }
    if (relative) {
      stream.acknowledge(lease.ref().id(), report.task().index(), taken);
    } else {
      stream.acknowledge(lease.ref().id(), report.task().ref(), taken);
    }
    stream.letGo(report.outcome());
  }

  /** A number of outcomes was settled or failed, and for the moment there are no more. */
  void flush() {
    stream.flushAcknowledgements();
    matcher.changed(worker);
  }

  /** What a line about a prompt of a lease is about. */
  static LoggingEventBuilder about(
      LoggingEventBuilder line, WorkerProfile worker, OpenLease lease, TaskRef task) {
    return line.addKeyValue(LogFields.JOB, task.jobId())
        .addKeyValue(LogFields.PROMPT, task.offset())
        .addKeyValue(LogFields.WORKER, worker.workerId())
        .addKeyValue(LogFields.LEASE, lease.ref().id());
  }

  /** At debug: of a job that is wrong as a whole there may be a million. */
  private void logFailure(Report report, TaskVerdict verdict) {
    if (log.isDebugEnabled()
        && report.outcome().hasFailure()
        && verdict != TaskVerdict.SUPERSEDED) {
      about(log.atDebug(), worker, report.lease(), report.task().ref())
          .log(
              "{} {}: {} {}",
              report.task().ref(),
              verdict == TaskVerdict.RETRIED ? "is tried again" : "has failed",
              report.outcome().getFailure().getReason(),
              report.outcome().getFailure().getMessage());
    }
  }

  private void trace(Report report, TaskVerdict verdict) {
    PromptOutcome outcome = report.outcome();
    String failure =
        outcome.hasFailure()
            ? outcome.getFailure().getReason()
            : verdict == TaskVerdict.COMMITTED ? "" : verdict.name();
    traces.settled(report.lease().ref(), report.task().ref(), report.came(), verdict, failure);
  }

  private void count(Report report, TaskVerdict verdict) {
    logFailure(report, verdict);
    OpenLease lease = report.lease();
    Drawing drawing = report.drawing();
    PromptOutcome outcome = report.outcome();
    if (lease.firstSettled() && drawing.hasTimes()) {
      Exemplars.of(
          traces.exemplar(lease.ref(), report.task().ref()), () -> metrics.stages(drawing.times()));
      matcher.drawn(worker, lease.ref().bucket(), drawing.times(), drawing.batchImages());
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

  /** The outcome cannot be taken; where nobody can be told, it has to be reported again. */
  void failed(Report report, Throwable error) {
    TaskRef task = report.task().ref();
    if (!stream.open() && RetryPolicy.unavailable(error)) {
      about(log.atDebug(), worker, report.lease(), task)
          .log("Worker {} has to report {} again: {}", worker.workerId(), task, error.getMessage());
      return;
    }
    boolean jobGone =
        GrpcErrors.unwrap(error) instanceof BitloomException known
            && known.code() == ErrorCode.JOB_NOT_FOUND;
    if (!jobGone) {
      about(log.atError(), worker, report.lease(), task)
          .setCause(error)
          .log("The outcome of {} is lost, it will be tried again", task);
    }
    settled(report, TaskVerdict.SUPERSEDED);
  }
}
