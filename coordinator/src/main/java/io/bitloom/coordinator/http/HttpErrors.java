package io.bitloom.coordinator.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.Status;
import io.vertx.ext.web.RoutingContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Errors as HTTP statuses with a JSON body; what is not meant for callers goes to the log only. */
final class HttpErrors {

  private static final Logger log = LoggerFactory.getLogger(HttpErrors.class);

  private HttpErrors() {}

  static void send(RoutingContext context, Throwable error) {
    BitloomException known = GrpcErrors.fromStatus(GrpcErrors.toStatus(error));
    if (known.code().fault() == ErrorCode.Fault.BITLOOM) {
      log.error("{} failed", context.request().path(), error);
    }
    int status = status(GrpcErrors.status(known.code()));
    HttpJson.send(context, status, body(status, known));
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
