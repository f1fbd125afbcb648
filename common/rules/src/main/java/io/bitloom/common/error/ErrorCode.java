package io.bitloom.common.error;

import java.util.Arrays;
import java.util.Optional;

/**
 * Everything that can go wrong, named once. The constant's name is the stable {@code reason} that
 * callers see in {@code google.rpc.ErrorInfo} and in the failure of a prompt.
 */
public enum ErrorCode {
  // The caller's fault: repeating the call as it is will not help.
  INVALID_FIELD(Fault.CALLER),
  MALFORMED_MESSAGE(Fault.CALLER),
  JOB_NOT_FOUND(Fault.CALLER),
  PROMPT_NOT_FOUND(Fault.CALLER),
  MODEL_NOT_FOUND(Fault.CALLER),
  TRAINING_RUN_NOT_FOUND(Fault.CALLER),
  TRAINING_RUN_ENDED(Fault.CALLER),
  OFFSET_OUT_OF_RANGE(Fault.CALLER),
  JOB_NOT_ACCEPTING(Fault.CALLER),
  JOB_NOT_OPEN(Fault.CALLER),
  JOB_NOT_TERMINAL(Fault.CALLER),
  NOTHING_TO_REPLAY(Fault.CALLER),
  PROMPT_COUNT_MISMATCH(Fault.CALLER),
  REQUEST_ID_REUSED(Fault.CALLER),
  WORKER_ID_TAKEN(Fault.CALLER),
  MODEL_DIFFERS(Fault.CALLER),
  MODEL_INCOMPLETE(Fault.CALLER),
  MODEL_IN_USE(Fault.CALLER),
  PROTOCOL_VIOLATION(Fault.CALLER),
  METHOD_NOT_FOUND(Fault.CALLER),
  PERMISSION_DENIED(Fault.CALLER),
  UNAUTHENTICATED(Fault.CALLER),
  CANCELLED(Fault.CALLER),
  EXPIRED(Fault.CALLER),
  DEADLINE_EXCEEDED(Fault.CALLER),
  PROMPT_REJECTED(Fault.CALLER),

  // Bitloom's fault.
  INTERNAL(Fault.BITLOOM),
  RESULT_MISSING(Fault.BITLOOM),
  RESULT_CORRUPT(Fault.BITLOOM),

  // Something that Bitloom needs is away or used up: repeating the call later can help.
  COORDINATOR_UNAVAILABLE(Fault.RESOURCE),
  QUEUE_UNAVAILABLE(Fault.RESOURCE),
  RESULT_STORE_UNAVAILABLE(Fault.RESOURCE),
  SHUTTING_DOWN(Fault.RESOURCE),
  LIMIT_EXCEEDED(Fault.RESOURCE),
  OUT_OF_MEMORY(Fault.RESOURCE),
  WORKER_LOST(Fault.RESOURCE);

  /** Who has to act. */
  public enum Fault {
    CALLER,
    BITLOOM,
    RESOURCE
  }

  private final Fault fault;

  ErrorCode(Fault fault) {
    this.fault = fault;
  }

  public Fault fault() {
    return fault;
  }

  /** The code with this reason, if this version knows it. */
  public static Optional<ErrorCode> find(String reason) {
    return Arrays.stream(values()).filter(code -> code.name().equals(reason)).findFirst();
  }
}
