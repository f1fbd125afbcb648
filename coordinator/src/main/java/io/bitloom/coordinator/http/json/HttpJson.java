package io.bitloom.coordinator.http.json;

import com.google.gson.JsonElement;
import io.vertx.ext.web.RoutingContext;

/** JSON bodies. */
public final class HttpJson {

  private HttpJson() {}

  public static void send(RoutingContext context, int status, JsonElement body) {
    context
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "application/json")
        .putHeader("Cache-Control", "no-store")
        .end(body.toString());
  }
}
