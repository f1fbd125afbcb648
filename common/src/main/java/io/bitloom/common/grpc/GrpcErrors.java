package io.bitloom.common.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RetryInfo;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.common.error.FieldViolation;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * The one mapping between exceptions and gRPC statuses.
 *
 * <p>A status carries {@code google.rpc.ErrorInfo} (domain {@value #DOMAIN}, the {@link ErrorCode}
 * as reason) and, for bad fields, {@code google.rpc.BadRequest}. The values of the fields are in
 * the descriptions for people and in the metadata of the ErrorInfo ({@code value-0}, …) for
 * programs.
 */
public final class GrpcErrors {

  public static final String DOMAIN = "bitloom.io";

  /** Statuses travel in a header of at most 8 KiB, so only the first violations go along. */
  private static final int MAX_VIOLATIONS = 8;

  /** Key of what is used of a limit, in the metadata of an ErrorInfo. */
  private static final String USED = "used";

  private static final int MAX_MESSAGE = 400;

  private GrpcErrors() {}

  /** The gRPC status that callers get for a code. */
  public static Status.Code status(ErrorCode code) {
    return switch (code) {
      case INVALID_FIELD, MALFORMED_MESSAGE, PROMPT_REJECTED -> Status.Code.INVALID_ARGUMENT;
      case JOB_NOT_FOUND, PROMPT_NOT_FOUND, MODEL_NOT_FOUND, TRAINING_RUN_NOT_FOUND ->
          Status.Code.NOT_FOUND;
      case TRAINING_RUN_ENDED,
          JOB_NOT_ACCEPTING,
          JOB_NOT_OPEN,
          JOB_NOT_TERMINAL,
          NOTHING_TO_REPLAY,
          PROMPT_COUNT_MISMATCH,
          MODEL_INCOMPLETE,
          MODEL_IN_USE,
          PROTOCOL_VIOLATION ->
          Status.Code.FAILED_PRECONDITION;
      case OFFSET_OUT_OF_RANGE -> Status.Code.OUT_OF_RANGE;
      case REQUEST_ID_REUSED, WORKER_ID_TAKEN, MODEL_DIFFERS -> Status.Code.ALREADY_EXISTS;
      case METHOD_NOT_FOUND -> Status.Code.UNIMPLEMENTED;
      case PERMISSION_DENIED -> Status.Code.PERMISSION_DENIED;
      case UNAUTHENTICATED -> Status.Code.UNAUTHENTICATED;
      case CANCELLED -> Status.Code.CANCELLED;
      case EXPIRED, DEADLINE_EXCEEDED -> Status.Code.DEADLINE_EXCEEDED;
      case INTERNAL -> Status.Code.INTERNAL;
      case RESULT_MISSING, RESULT_CORRUPT -> Status.Code.DATA_LOSS;
      case COORDINATOR_UNAVAILABLE,
          QUEUE_UNAVAILABLE,
          RESULT_STORE_UNAVAILABLE,
          SHUTTING_DOWN,
          WORKER_LOST ->
          Status.Code.UNAVAILABLE;
      case LIMIT_EXCEEDED, OUT_OF_MEMORY -> Status.Code.RESOURCE_EXHAUSTED;
    };
  }

  /**
   * The status for callers. Unknown exceptions become INTERNAL and keep their text to themselves.
   */
  public static StatusRuntimeException toStatus(Throwable error) {
    Throwable cause = unwrap(error);
    if (cause instanceof BitloomException known) {
      return toStatus(known);
    }
    if (cause instanceof StatusRuntimeException status) {
      return status;
    }
    return toStatus(new BitloomException(ErrorCode.INTERNAL, "an internal error, see the log"));
  }

  private static StatusRuntimeException toStatus(BitloomException error) {
    ErrorInfo.Builder info =
        ErrorInfo.newBuilder().setDomain(DOMAIN).setReason(error.code().name());
    error.exhausted().ifPresent(limit -> info.putMetadata(USED, Long.toString(limit.used())));
    BadRequest.Builder badRequest = BadRequest.newBuilder();
    for (FieldViolation violation : error.violations()) {
      int index = badRequest.getFieldViolationsCount();
      if (index == MAX_VIOLATIONS) {
        break;
      }
      info.putMetadata("value-" + index, violation.value());
      badRequest
          .addFieldViolationsBuilder()
          .setField(violation.field())
          .setDescription(violation.message());
    }
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder()
            .setCode(status(error.code()).value())
            .setMessage(shortened(error.getMessage()))
            .addDetails(Any.pack(info.build()));
    error.exhausted().ifPresent(limit -> addQuota(status, limit));
    if (badRequest.getFieldViolationsCount() > 0) {
      status.addDetails(Any.pack(badRequest.build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  private static void addQuota(com.google.rpc.Status.Builder status, Exhausted limit) {
    QuotaFailure.Violation.Builder violation =
        QuotaFailure.Violation.newBuilder()
            .setSubject(limit.subject())
            .setQuotaId(limit.limit())
            .setQuotaValue(limit.value())
            .setDescription(
                limit.limit() + " is " + limit.value() + ", " + limit.used() + " are used");
    Duration delay =
        Duration.newBuilder()
            .setSeconds(limit.retryAfter().getSeconds())
            .setNanos(limit.retryAfter().getNano())
            .build();
    status
        .addDetails(Any.pack(QuotaFailure.newBuilder().addViolations(violation).build()))
        .addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
  }

  private static Exhausted exhausted(com.google.rpc.Status details, ErrorInfo info) {
    QuotaFailure quota = detail(details, QuotaFailure.class, QuotaFailure.getDefaultInstance());
    RetryInfo retry = detail(details, RetryInfo.class, RetryInfo.getDefaultInstance());
    if (quota.getViolationsCount() == 0 || !retry.hasRetryDelay()) {
      return null;
    }
    QuotaFailure.Violation violation = quota.getViolations(0);
    Duration delay = retry.getRetryDelay();
    return new Exhausted(
        violation.getSubject(),
        violation.getQuotaId(),
        violation.getQuotaValue(),
        number(info.getMetadataOrDefault(USED, "0")),
        java.time.Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
  }

  private static long number(String text) {
    return text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
  }

  private static String shortened(String message) {
    return message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE) + "…";
  }

  /**
   * The exception behind a status that a call failed with. A status that did not come from Bitloom
   * (no connection, a proxy) gets the code that is nearest.
   */
  public static BitloomException fromStatus(Throwable error) {
    Throwable cause = unwrap(error);
    if (cause instanceof BitloomException known) {
      return known;
    }
    Status status = Status.fromThrowable(cause);
    com.google.rpc.Status details = StatusProto.fromThrowable(cause);
    ErrorInfo info = detail(details, ErrorInfo.class, ErrorInfo.getDefaultInstance());
    BadRequest badRequest = detail(details, BadRequest.class, BadRequest.getDefaultInstance());
    List<FieldViolation> violations = new ArrayList<>();
    for (BadRequest.FieldViolation violation : badRequest.getFieldViolationsList()) {
      String value = info.getMetadataOrDefault("value-" + violations.size(), "");
      violations.add(new FieldViolation(violation.getField(), value, violation.getDescription()));
    }
    ErrorCode code = ErrorCode.find(info.getReason()).orElseGet(() -> nearest(status.getCode()));
    String message =
        status.getDescription() == null ? status.getCode().name() : status.getDescription();
    return new BitloomException(code, message, violations, exhausted(details, info), cause);
  }

  /** The nearest code for a bare gRPC status that came without a reason. */
  private static ErrorCode nearest(Status.Code status) {
    return switch (status) {
      case INVALID_ARGUMENT, ALREADY_EXISTS, ABORTED -> ErrorCode.INVALID_FIELD;
      case NOT_FOUND -> ErrorCode.JOB_NOT_FOUND;
      case OUT_OF_RANGE -> ErrorCode.OFFSET_OUT_OF_RANGE;
      case FAILED_PRECONDITION -> ErrorCode.PROTOCOL_VIOLATION;
      case UNIMPLEMENTED -> ErrorCode.METHOD_NOT_FOUND;
      case PERMISSION_DENIED -> ErrorCode.PERMISSION_DENIED;
      case UNAUTHENTICATED -> ErrorCode.UNAUTHENTICATED;
      case CANCELLED -> ErrorCode.CANCELLED;
      case DEADLINE_EXCEEDED -> ErrorCode.DEADLINE_EXCEEDED;
      case UNAVAILABLE -> ErrorCode.COORDINATOR_UNAVAILABLE;
      case RESOURCE_EXHAUSTED -> ErrorCode.LIMIT_EXCEEDED;
      case DATA_LOSS -> ErrorCode.RESULT_CORRUPT;
      case OK, UNKNOWN, INTERNAL -> ErrorCode.INTERNAL;
    };
  }

  /** Whether Bitloom chose the status, and not the transport or something on the way. */
  public static boolean isFromBitloom(Throwable status) {
    com.google.rpc.Status details = StatusProto.fromThrowable(status);
    return detail(details, ErrorInfo.class, ErrorInfo.getDefaultInstance())
        .getDomain()
        .equals(DOMAIN);
  }

  /** The exception inside the wrappers that futures put around it. */
  public static Throwable unwrap(Throwable error) {
    Throwable cause = error;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static <T extends com.google.protobuf.Message> T detail(
      com.google.rpc.Status status, Class<T> type, T absent) {
    if (status == null) {
      return absent;
    }
    try {
      for (Any any : status.getDetailsList()) {
        if (any.is(type)) {
          return any.unpack(type);
        }
      }
    } catch (InvalidProtocolBufferException broken) {
      return absent;
    }
    return absent;
  }
}
