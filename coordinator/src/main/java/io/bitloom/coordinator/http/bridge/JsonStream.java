package io.bitloom.coordinator.http.bridge;

import com.google.gson.JsonObject;
import com.google.protobuf.Message;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.http.json.HttpErrors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;

/**
 * Messages one after the other: a line of JSON each, or server-sent events whose ids are cursors.
 * An error that comes before any message has its own status; one that comes later is the last
 * message, {@code {"error": …}}.
 */
final class JsonStream implements Answer {

  static final String LINES = "application/x-ndjson";
  static final String EVENTS = "text/event-stream";

  private static final String CURSOR = "cursor";

  private final RoutingContext exchange;
  private final boolean events;

  /**
   * @param events server-sent ones; else lines
   */
  JsonStream(RoutingContext exchange, boolean events) {
    this.exchange = exchange;
    this.events = events;
  }

  @Override
  public Buffer encode(Message message) {
    JsonObject json = MessageJson.of(message);
    if (!events) {
      return Buffer.buffer(json + "\n");
    }
    boolean hasPlace = json.has(CURSOR) && !json.get(CURSOR).getAsString().isEmpty();
    String id = hasPlace ? "id: " + json.get(CURSOR).getAsString() + "\n" : "";
    return Buffer.buffer(id + "data: " + json + "\n\n");
  }

  @Override
  public void write(Buffer encoded) {
    open();
    exchange.response().write(encoded);
  }

  private void open() {
    if (!exchange.response().headWritten()) {
      exchange
          .response()
          .setChunked(true)
          .putHeader("Content-Type", events ? EVENTS : LINES)
          .putHeader("Cache-Control", "no-store");
    }
  }

  @Override
  public void end(Status status, Metadata trailers) {
    if (status.isOk()) {
      open();
      exchange.response().end(events ? "event: end\ndata: {}\n\n" : "");
    } else if (exchange.response().headWritten()) {
      JsonObject error =
          HttpErrors.body(exchange.request().path(), status.asRuntimeException(trailers));
      exchange.response().end(events ? "event: error\ndata: " + error + "\n\n" : error + "\n");
    } else {
      HttpErrors.send(exchange, status.asRuntimeException(trailers));
    }
  }

  @Override
  public Optional<Buffer> signOfLife() {
    return Optional.of(Buffer.buffer(events ? ":\n\n" : "\n"));
  }
}
