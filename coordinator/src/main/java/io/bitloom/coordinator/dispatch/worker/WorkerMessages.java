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
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Drain;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseLost;
import io.bitloom.v1.LeaseWatch;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckStatus;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Task;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The queue's leases and prompts in the words of the worker protocol, and back. */
final class WorkerMessages {

  private WorkerMessages() {}

  /**
   * @param watch what the worker is to show, if somebody looks on
   */
  static ConnectResponse lease(long requestNumber, LeasedBatch batch, Optional<LeaseWatch> watch) {
    Lease.Builder lease =
        Lease.newBuilder()
            .setRequestNumber(requestNumber)
            .setLeaseId(batch.lease().id())
            .setFencingToken(batch.lease().token())
            .setSecret(batch.lease().secret().text())
            .setModel(batch.lease().bucket().model())
            .setSchedule(batch.lease().bucket().schedule());
    batch.tasks().forEach(task -> lease.addTasks(task(task)));
    watch.ifPresent(lease::setWatch);
    return ConnectResponse.newBuilder().setLease(lease).build();
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

  static OutcomeAck ack(Outcome outcome, OutcomeAckStatus status) {
    return OutcomeAck.newBuilder()
        .setLeaseId(outcome.getLeaseId())
        .setTask(outcome.getTask())
        .setStatus(status)
        .build();
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
