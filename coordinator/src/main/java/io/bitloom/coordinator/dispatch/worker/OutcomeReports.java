package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.tracing.PromptTraces;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeBatch;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.UploadRequest;
import java.util.List;
import java.util.Optional;

/**
 * What the worker of one session reports of its prompts: checks that it still holds them, and hands
 * the outcomes on. They go one way: from here to {@link OutcomeCommits}, and from there to {@link
 * OutcomeAnswers}. Confined to the dispatch loop.
 */
final class OutcomeReports {

  private static final int MAX_DRAWN_TEXT_BYTES = 64 << 10;

  private final WorkerProfile worker;
  private final WorkerStream stream;
  private final OpenLeases leases;
  private final OutcomeCommits commits;
  private final PromptTraces traces;

  OutcomeReports(
      WorkerProfile worker,
      WorkerStream stream,
      OpenLeases leases,
      OutcomeCommits commits,
      PromptTraces traces) {
    this.worker = worker;
    this.stream = stream;
    this.leases = leases;
    this.commits = commits;
    this.traces = traces;
  }

  /** Images that this session brought. */
  long imagesDone() {
    return commits.imagesDone();
  }

  // Form 2

  void take(LeaseOutcomes message) {
    if (message.getOutcomesCount() == 0) {
      throw WorkerMessages.violation("a message of outcomes must have one");
    }
    Optional<OpenLease> lease =
        leases.named(message.getLeaseId(), message.getFencingToken(), message.getLeaseSecret());
    Optional<Drawing> drawing =
        lease.map(held -> new Drawing(worker, held, message.getBatchImages(), message.getTimes()));
    for (PromptOutcome outcome : message.getOutcomesList()) {
      if (outcome.getOutcomeCase() == PromptOutcome.OutcomeCase.OUTCOME_NOT_SET) {
        throw WorkerMessages.withoutOutcome();
      }
      Optional<OpenLease.Task> task = lease.flatMap(held -> held.get(outcome.getIndex()));
      if (!taken(drawing, task, outcome)) {
        stream.acknowledge(message.getLeaseId(), outcome.getIndex(), false);
        commits.refuse(task.map(OpenLease.Task::ref), outcome);
      }
    }
    stream.flushAcknowledgements(); // of what was refused, together
  }

  // Form 1

  void take(OutcomeBatch batch) {
    if (batch.getOutcomesCount() == 0) {
      throw WorkerMessages.violation("a batch of outcomes must have one");
    }
    stream.acknowledgeInBatches();
    batch.getOutcomesList().forEach(this::takeOne);
    stream.flushAcknowledgements();
  }

  void take(Outcome message) {
    takeOne(message);
    stream.flushAcknowledgements();
  }

  private void takeOne(Outcome message) {
    PromptOutcome outcome = WorkerMessages.outcome(message);
    TaskRef reported = WorkerMessages.ref(message.getTask());
    Optional<OpenLease> lease =
        leases.named(message.getLeaseId(), message.getFencingToken(), message.getLeaseSecret());
    Optional<Drawing> drawing =
        lease.map(held -> new Drawing(worker, held, message.getBatchImages(), message.getTimes()));
    if (!taken(drawing, lease.flatMap(held -> held.get(reported)), outcome)) {
      stream.acknowledge(message.getLeaseId(), reported, false);
      commits.refuse(Optional.of(reported), outcome);
    }
  }

  /** Takes an outcome if the worker holds its prompt. */
  private boolean taken(
      Optional<Drawing> drawing, Optional<OpenLease.Task> task, PromptOutcome outcome) {
    boolean held = task.isPresent() && drawing.orElseThrow().lease().report(task.get());
    if (held) {
      PromptOutcome storable = storable(outcome);
      stream.hold(storable);
      commits.take(
          new Report(drawing.get(), task.get(), storable, traces.on() ? TraceClock.now() : 0));
    }
    return held;
  }

  /** A result has the text that was drawn, and the job keeps it. */
  private static PromptOutcome storable(PromptOutcome outcome) {
    int bytes = outcome.getDrawnText().getSerializedSize();
    return bytes <= MAX_DRAWN_TEXT_BYTES
        ? outcome
        : outcome.toBuilder()
            .clearDrawnText()
            .setFailure(
                TaskFailure.newBuilder()
                    .setReason(ErrorCode.RESULT_CORRUPT.name())
                    .setMessage(
                        "the drawn text takes "
                            + bytes
                            + " bytes, at most "
                            + MAX_DRAWN_TEXT_BYTES
                            + " are kept")
                    .setRetryable(true))
            .build();
  }

  /** The worker asks where it may put the images of a prompt. */
  void upload(UploadRequest request) {
    TaskRef named = WorkerMessages.ref(request.getTask());
    Optional<OpenLease> lease =
        leases.find(request.getLeaseId(), request.getFencingToken(), request.getLeaseSecret());
    Optional<OpenLease.Task> task = lease.flatMap(held -> held.find(named));
    if (task.isPresent()) {
      commits.grant(lease.get(), task.get(), request);
    } else {
      stream.send(
          WorkerMessages.lost(
              request.getLeaseId(), List.of(named), "it is not held by this worker"));
    }
  }
}
