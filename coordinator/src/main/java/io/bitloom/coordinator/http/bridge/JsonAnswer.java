package io.bitloom.coordinator.http.bridge;

import com.google.gson.JsonElement;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.http.json.HttpErrors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;

/** One message, or the error. */
final class JsonAnswer implements Answer {

  private final RoutingContext exchange;
  private final FieldDescriptor field;
  private Buffer message = Buffer.buffer();

  /**
   * @param field of the response that is the answer; null for all of it
   */
  JsonAnswer(RoutingContext exchange, FieldDescriptor field) {
    this.exchange = exchange;
    this.field = field;
  }

  @Override
  public Buffer encode(Message response) {
    JsonElement json =
        MessageJson.of(field == null ? response : (MessageOrBuilder) response.getField(field));
    return Buffer.buffer(json.toString());
  }

  @Override
  public void write(Buffer encoded) {
    message = encoded;
  }

  @Override
  public void end(Status status, Metadata trailers) {
    if (status.isOk()) {
      exchange
          .response()
          .putHeader("Content-Type", "application/json")
          .putHeader("Cache-Control", "no-store")
          .end(message);
    } else {
      HttpErrors.send(exchange, status.asRuntimeException(trailers));
    }
  }
}
