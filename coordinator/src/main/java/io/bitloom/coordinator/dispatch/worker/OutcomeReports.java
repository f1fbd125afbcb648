package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeBatch;
import io.bitloom.v1.UploadRequest;
import java.util.List;
import java.util.Optional;

/**
 * What the worker of one session reports of its prompts: checks that it still holds them, and hands
 * the outcomes on. They go one way: from here to {@link OutcomeCommits}, and from there to {@link
 * OutcomeAnswers}. Confined to the dispatch loop.
 */
final class OutcomeReports {

  private final WorkerStream stream;
  private final OpenLeases leases;
  private final OutcomeCommits commits;

  OutcomeReports(WorkerStream stream, OpenLeases leases, OutcomeCommits commits) {
    this.stream = stream;
    this.leases = leases;
    this.commits = commits;
  }

  /** Images that this session brought. */
  long imagesDone() {
    return commits.imagesDone();
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
    Optional<OpenLease> lease =
        leases.find(outcome.getLeaseId(), outcome.getFencingToken(), outcome.getLeaseSecret());
    Optional<OpenLease.Task> task = lease.flatMap(held -> held.report(reported));
    if (task.isPresent()) {
      stream.hold(outcome);
      commits.take(lease.get(), task.get(), outcome);
    } else {
      commits.refuse(reported, outcome);
    }
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
