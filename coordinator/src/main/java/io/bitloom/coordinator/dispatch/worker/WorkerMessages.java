package io.bitloom.coordinator.dispatch.worker;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Drain;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseLost;
import io.bitloom.v1.LeaseWatch;
import io.bitloom.v1.LeasedPrompts;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptGroup;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.PromptRun;
import io.bitloom.v1.Task;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The queue's leases and prompts in the words of the worker protocol, and back. */
final class WorkerMessages {

  private WorkerMessages() {}

  /** The form in which prompts are named by their places in the lease. */
  static final int RELATIVE = 2;

  /**
   * A batch, in the form that the worker speaks.
   *
   * @param watch what the worker is to show, if somebody looks on
   */
  static ConnectResponse lease(
      int form, long requestNumber, LeasedBatch batch, Optional<LeaseWatch> watch) {
    Lease.Builder lease =
        Lease.newBuilder()
            .setRequestNumber(requestNumber)
            .setLeaseId(batch.lease().id())
            .setFencingToken(batch.lease().token())
            .setSecret(batch.lease().secret().text())
            .setModel(batch.lease().bucket().model())
            .setSchedule(batch.lease().bucket().schedule());
    if (form == RELATIVE) {
      addPrompts(lease, batch.tasks());
    } else {
      batch.tasks().forEach(task -> lease.addTasks(task(task)));
    }
    watch.ifPresent(lease::setWatch);
    return ConnectResponse.newBuilder().setLease(lease).build();
  }

  /** Jobs one after the other, and of each its prompts as runs and their groups as they are. */
  private static void addPrompts(Lease.Builder lease, List<LeasedTask> tasks) {
    for (int from = 0, to; from < tasks.size(); from = to) {
      String job = tasks.get(from).task().jobId();
      to = from;
      while (to < tasks.size() && tasks.get(to).task().jobId().equals(job)) {
        to++;
      }
      lease.addPrompts(prompts(job, tasks.subList(from, to)));
    }
  }

  private static LeasedPrompts prompts(String job, List<LeasedTask> tasks) {
    LeasedPrompts.Builder prompts = LeasedPrompts.newBuilder().setJob(JobNames.of(job));
    for (int from = 0, to; from < tasks.size(); from = to) {
      LeasedTask first = tasks.get(from);
      to = from + 1;
      while (to < tasks.size()
          && tasks.get(to).task().offset() == first.task().offset() + (to - from)
          && tasks.get(to).attempt() == first.attempt()) {
        to++;
      }
      prompts.addRuns(
          PromptRun.newBuilder()
              .setFirst(first.task().offset())
              .setCount(to - from)
              .setAttempt(first.attempt()));
    }
    tasks.stream()
        .map(LeasedTask::group)
        .distinct()
        .forEach(group -> prompts.addGroups(group(group)));
    return prompts.build();
  }

  private static PromptGroup group(PayloadGroup group) {
    return PromptGroup.newBuilder().setFirst(group.id()).setPrompts(group.packed()).build();
  }

  /**
   * The prompt goes into its field as the bytes that the queue keeps, which are the same on the
   * wire: reading and writing every prompt here would cost more than all the rest of a lease.
   */
  private static Task task(LeasedTask task) {
    return Task.newBuilder()
        .setRef(ref(task.task()))
        .setAttempt(task.attempt())
        .setUnknownFields(
            UnknownFieldSet.newBuilder()
                .addField(
                    Task.PROMPT_FIELD_NUMBER,
                    UnknownFieldSet.Field.newBuilder().addLengthDelimited(task.payload()).build())
                .build())
        .build();
  }

  static Prompt prompt(LeasedTask task) {
    try {
      return Prompt.parseFrom(task.payload());
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the prompt of " + task.task() + " is broken", e);
    }
  }

  static OutcomeAck ack(String leaseId, TaskRef task, boolean committed) {
    return OutcomeAck.newBuilder()
        .setLeaseId(leaseId)
        .setTask(ref(task))
        .setStatus(
            committed
                ? OutcomeAckStatus.OUTCOME_ACK_STATUS_COMMITTED
                : OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED)
        .build();
  }

  /** An outcome of form 1 without what names its prompt. */
  static PromptOutcome outcome(Outcome outcome) {
    PromptOutcome.Builder relative = PromptOutcome.newBuilder();
    switch (outcome.getOutcomeCase()) {
      case IMAGES -> relative.setImages(outcome.getImages());
      case FAILURE -> relative.setFailure(outcome.getFailure());
      case OUTCOME_NOT_SET -> throw withoutOutcome();
    }
    if (outcome.hasDrawnText()) {
      relative.setDrawnText(outcome.getDrawnText());
    }
    return relative.build();
  }

  static BitloomException withoutOutcome() {
    return violation("an outcome must have images or a failure");
  }

  /** The whole lease is lost. */
  static ConnectResponse lost(String leaseId, String reason) {
    return lost(leaseId, List.of(), reason);
  }

  /**
   * @param tasks empty: the whole lease
   */
  static ConnectResponse lost(String leaseId, Collection<TaskRef> tasks, String reason) {
    return ConnectResponse.newBuilder()
        .setLeaseLost(
            LeaseLost.newBuilder()
                .setLeaseId(leaseId)
                .addAllTasks(tasks.stream().map(WorkerMessages::ref).toList())
                .setReason(reason))
        .build();
  }

  static ConnectResponse drain(String reason) {
    return ConnectResponse.newBuilder().setDrain(Drain.newBuilder().setReason(reason)).build();
  }

  static io.bitloom.v1.TaskRef ref(TaskRef task) {
    return io.bitloom.v1.TaskRef.newBuilder()
        .setJob(JobNames.of(task.jobId()))
        .setOffset(task.offset())
        .build();
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} if the job is no job's name
   */
  static TaskRef ref(io.bitloom.v1.TaskRef task) {
    return new TaskRef(JobNames.id("task.job", task.getJob()), task.getOffset());
  }

  /** The lease that a worker names; empty if there cannot be such a lease. */
  static Optional<LeaseRef> leaseRef(String leaseId, long fencingToken, String secret) {
    return Secret.parse(secret).flatMap(known -> leaseRef(leaseId, fencingToken, known));
  }

  private static Optional<LeaseRef> leaseRef(String leaseId, long fencingToken, Secret secret) {
    try {
      LeaseRef lease = LeaseRef.parse(leaseId, secret);
      return lease.token() == fencingToken ? Optional.of(lease) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  static BitloomException violation(String message) {
    return new BitloomException(ErrorCode.PROTOCOL_VIOLATION, message);
  }
}
