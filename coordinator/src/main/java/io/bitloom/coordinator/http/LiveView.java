package io.bitloom.coordinator.http;

import com.google.gson.JsonObject;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Server-sent events with the state of the cluster: at once, then once a second if it changed. As
 * long as nobody looks, nothing is asked for. Confined to the event loop of the HTTP port.
 */
final class LiveView {

  private static final long INTERVAL_MILLIS = 1000;
  private static final long NO_TIMER = -1;
  private static final int MAX_VIEWERS = 256;

  private final Vertx vertx;
  private final Supplier<Future<JsonObject>> state;
  private final Set<HttpServerResponse> viewers = new LinkedHashSet<>();
  private long timer = NO_TIMER;
  private boolean asking;
  private String shown = "";

  LiveView(Vertx vertx, Supplier<Future<JsonObject>> state) {
    this.vertx = vertx;
    this.state = state;
  }

  /**
   * @return false if there are too many viewers already
   */
  boolean add(HttpServerResponse viewer) {
    if (viewers.size() == MAX_VIEWERS) {
      return false;
    }
    viewer
        .setChunked(true)
        .putHeader("Content-Type", "text/event-stream")
        .putHeader("Cache-Control", "no-store")
        .closeHandler(closed -> remove(viewer));
    viewer.exceptionHandler(broken -> remove(viewer));
    viewers.add(viewer);
    if (timer == NO_TIMER) {
      timer = vertx.setPeriodic(INTERVAL_MILLIS, tick -> ask());
    }
    viewer.write(shown.isEmpty() ? "retry: 2000\n\n" : shown);
    ask();
    return true;
  }

  private void remove(HttpServerResponse viewer) {
    viewers.remove(viewer);
    if (viewers.isEmpty() && timer != NO_TIMER) {
      vertx.cancelTimer(timer);
      timer = NO_TIMER;
      shown = "";
    }
  }

  private void ask() {
    if (asking) {
      return;
    }
    asking = true;
    state
        .get()
        .onComplete(
            answer -> {
              asking = false;
              if (answer.succeeded()) {
                show("data: " + answer.result() + "\n\n");
              } else {
                show("event: unavailable\ndata: {}\n\n");
              }
            });
  }

  private void show(String event) {
    if (!event.equals(shown)) {
      shown = event;
      for (HttpServerResponse viewer : List.copyOf(viewers)) {
        if (!viewer.writeQueueFull()) {
          viewer.write(event);
        }
      }
    }
  }
}
