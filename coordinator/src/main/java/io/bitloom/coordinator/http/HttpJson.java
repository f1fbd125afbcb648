package io.bitloom.coordinator.http;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.vertx.ext.web.RoutingContext;
import java.io.UncheckedIOException;

/** JSON bodies. Messages are written as proto3 JSON with the field names of the proto files. */
final class HttpJson {

  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer()
          .preservingProtoFieldNames()
          .alwaysPrintFieldsWithNoPresence()
          .omittingInsignificantWhitespace();

  private HttpJson() {}

  static JsonElement of(MessageOrBuilder message) {
    try {
      return JsonParser.parseString(PRINTER.print(message));
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("a message cannot be written as JSON", e);
    }
  }

  static void send(RoutingContext context, int status, JsonElement body) {
    context
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "application/json")
        .putHeader("Cache-Control", "no-store")
        .end(body.toString());
  }
}
