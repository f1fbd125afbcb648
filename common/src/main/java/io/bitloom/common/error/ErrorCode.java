package io.bitloom.common.error;

import io.grpc.Status;
import java.util.Arrays;
import java.util.Optional;

/**
 * Everything that can go wrong, named once. The constant's name is the stable {@code reason} that
 * callers see in {@code google.rpc.ErrorInfo} and in the failure of a prompt.
 */
public enum ErrorCode {
  // The caller's fault: repeating the call as it is will not help.
  INVALID_FIELD(Fault.CALLER, Status.Code.INVALID_ARGUMENT),
  MALFORMED_MESSAGE(Fault.CALLER, Status.Code.INVALID_ARGUMENT),
  JOB_NOT_FOUND(Fault.CALLER, Status.Code.NOT_FOUND),
  PROMPT_NOT_FOUND(Fault.CALLER, Status.Code.NOT_FOUND),
  MODEL_NOT_FOUND(Fault.CALLER, Status.Code.NOT_FOUND),
  TRAINING_RUN_NOT_FOUND(Fault.CALLER, Status.Code.NOT_FOUND),
  TRAINING_RUN_ENDED(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  OFFSET_OUT_OF_RANGE(Fault.CALLER, Status.Code.OUT_OF_RANGE),
  JOB_NOT_ACCEPTING(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  JOB_NOT_OPEN(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  JOB_NOT_TERMINAL(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  NOTHING_TO_REPLAY(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  PROMPT_COUNT_MISMATCH(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  REQUEST_ID_REUSED(Fault.CALLER, Status.Code.ALREADY_EXISTS),
  PROTOCOL_VIOLATION(Fault.CALLER, Status.Code.FAILED_PRECONDITION),
  METHOD_NOT_FOUND(Fault.CALLER, Status.Code.UNIMPLEMENTED),
  PERMISSION_DENIED(Fault.CALLER, Status.Code.PERMISSION_DENIED),
  UNAUTHENTICATED(Fault.CALLER, Status.Code.UNAUTHENTICATED),
  CANCELLED(Fault.CALLER, Status.Code.CANCELLED),
  EXPIRED(Fault.CALLER, Status.Code.DEADLINE_EXCEEDED),
  DEADLINE_EXCEEDED(Fault.CALLER, Status.Code.DEADLINE_EXCEEDED),
  PROMPT_REJECTED(Fault.CALLER, Status.Code.INVALID_ARGUMENT),

  // Bitloom's fault.
  INTERNAL(Fault.BITLOOM, Status.Code.INTERNAL),
  RESULT_MISSING(Fault.BITLOOM, Status.Code.DATA_LOSS),
  RESULT_CORRUPT(Fault.BITLOOM, Status.Code.DATA_LOSS),

  // Something that Bitloom needs is away or used up: repeating the call later can help.
  COORDINATOR_UNAVAILABLE(Fault.RESOURCE, Status.Code.UNAVAILABLE),
  QUEUE_UNAVAILABLE(Fault.RESOURCE, Status.Code.UNAVAILABLE),
  RESULT_STORE_UNAVAILABLE(Fault.RESOURCE, Status.Code.UNAVAILABLE),
  SHUTTING_DOWN(Fault.RESOURCE, Status.Code.UNAVAILABLE),
  LIMIT_EXCEEDED(Fault.RESOURCE, Status.Code.RESOURCE_EXHAUSTED),
  OUT_OF_MEMORY(Fault.RESOURCE, Status.Code.RESOURCE_EXHAUSTED),
  WORKER_LOST(Fault.RESOURCE, Status.Code.UNAVAILABLE);

  /** Who has to act. */
  public enum Fault {
    CALLER,
    BITLOOM,
    RESOURCE
  }

  private final Fault fault;
  private final Status.Code status;

  ErrorCode(Fault fault, Status.Code status) {
    this.fault = fault;
    this.status = status;
  }

  public Fault fault() {
    return fault;
  }

  /** The gRPC status that callers get. */
  public Status.Code status() {
    return status;
  }

  /** The code with this reason, if this version knows it. */
  public static Optional<ErrorCode> find(String reason) {
    return Arrays.stream(values()).filter(code -> code.name().equals(reason)).findFirst();
  }

  /** The nearest code for a bare gRPC status that came without a reason. */
  static ErrorCode of(Status.Code status) {
    return switch (status) {
      case INVALID_ARGUMENT, ALREADY_EXISTS, ABORTED -> INVALID_FIELD;
      case NOT_FOUND -> JOB_NOT_FOUND;
      case OUT_OF_RANGE -> OFFSET_OUT_OF_RANGE;
      case FAILED_PRECONDITION -> PROTOCOL_VIOLATION;
      case UNIMPLEMENTED -> METHOD_NOT_FOUND;
      case PERMISSION_DENIED -> PERMISSION_DENIED;
      case UNAUTHENTICATED -> UNAUTHENTICATED;
      case CANCELLED -> CANCELLED;
      case DEADLINE_EXCEEDED -> DEADLINE_EXCEEDED;
      case UNAVAILABLE -> COORDINATOR_UNAVAILABLE;
      case RESOURCE_EXHAUSTED -> LIMIT_EXCEEDED;
      case DATA_LOSS -> RESULT_CORRUPT;
      case OK, UNKNOWN, INTERNAL -> INTERNAL;
    };
  }
}
