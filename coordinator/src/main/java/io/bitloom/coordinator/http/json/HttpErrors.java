package io.bitloom.coordinator.http.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.vertx.ext.web.RoutingContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Errors as HTTP statuses with a JSON body; what is not meant for callers goes to the log only. */
public final class HttpErrors {

  private static final Logger log = LoggerFactory.getLogger(HttpErrors.class);

  private static final int UNAUTHORIZED = 401;

  private HttpErrors() {}

  /** Answers with the status that belongs to an error. */
  public static void send(RoutingContext context, Throwable error) {
    BitloomException known = known(context.request().path(), error);
    send(context, status(known), known);
  }

  /** Answers with a status of HTTP's own. */
  public static void send(RoutingContext context, int status, BitloomException error) {
    if (status == UNAUTHORIZED) {
      context
          .response()
          .putHeader("WWW-Authenticate", "Basic realm=\"Bitloom: a token as password\"");
    }
    error
        .exhausted()
        .map(Exhausted::retryAfter)
        .ifPresent(
            delay ->
                context
                    .response()
                    .putHeader("Retry-After", Long.toString(delay.plusMillis(999).toSeconds())));
    HttpJson.send(context, status, body(status, error));
  }

  /** What callers may know of an error; the rest goes to the log. */
  private static BitloomException known(String path, Throwable error) {
    BitloomException known = GrpcErrors.fromStatus(GrpcErrors.toStatus(error));
    boolean logged = error instanceof StatusRuntimeException; // by the service that failed
    if (known.code().fault() == ErrorCode.Fault.BITLOOM && !logged) {
      log.error("{} failed", path, error);
    }
    return known;
  }

  private static int status(BitloomException error) {
    return status(GrpcErrors.status(error.code()));
  }

  /** An error as the body of an answer, or as the last message of one that had begun. */
  public static JsonObject body(String path, Throwable error) {
    BitloomException known = known(path, error);
    return body(status(known), known);
  }

  private static JsonObject body(int status, BitloomException error) {
    JsonArray fields = new JsonArray();
    for (FieldViolation violation : error.violations()) {
      JsonObject field = new JsonObject();
      field.addProperty("field", violation.field());
      field.addProperty("value", violation.value());
      field.addProperty("message", violation.message());
      fields.add(field);
    }
    JsonObject details = new JsonObject();
    details.addProperty("code", status);
    details.addProperty("status", GrpcErrors.status(error.code()).name());
    details.addProperty("reason", error.code().name());
    details.addProperty("message", error.getMessage());
    details.add("fields", fields);
    JsonObject body = new JsonObject();
    body.add("error", details);
    return body;
  }

  /** The mapping of google.rpc.Code. */
  private static int status(Status.Code code) {
    return switch (code) {
      case OK -> 200;
      case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
      case UNAUTHENTICATED -> 401;
      case PERMISSION_DENIED -> 403;
      case NOT_FOUND -> 404;
      case ALREADY_EXISTS, ABORTED -> 409;
      case RESOURCE_EXHAUSTED -> 429;
      case CANCELLED -> 499;
      case UNIMPLEMENTED -> 501;
      case UNAVAILABLE -> 503;
      case DEADLINE_EXCEEDED -> 504;
      case UNKNOWN, INTERNAL, DATA_LOSS -> 500;
    };
  }
}
