package io.bitloom.coordinator.http;

import com.google.gson.JsonObject;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Server-sent events with the state of the cluster: at once, then once a second if it changed. A
 * comment now and then tells both sides that the other is there. As long as nobody looks, nothing
 * is asked for. Confined to the event loop of the HTTP port.
 */
final class LiveView {

  private static final long INTERVAL_MILLIS = 1000;
  private static final long NO_TIMER = -1;
  private static final int MAX_VIEWERS = 256;
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(15);
  private static final int SIGNS_OF_LIFE_IN_TIMEOUT = 4;
  private static final String SIGN_OF_LIFE = ":\n\n";

  private final Vertx vertx;
  private final Duration silence;
  private final Supplier<Future<JsonObject>> state;
  private final Set<HttpServerResponse> viewers = new LinkedHashSet<>();
  private long timer = NO_TIMER;
  private long heartbeat = NO_TIMER;
  private boolean asking;
  private String shown = "";

  /**
   * @param silence after so long a comment is sent
   */
  LiveView(Vertx vertx, Duration silence, Supplier<Future<JsonObject>> state) {
    this.vertx = vertx;
    this.silence = silence;
    this.state = state;
  }

  /**
   * How long a stream may be silent.
   *
   * @param idleTimeout a connection is closed if nothing is sent for so long
   */
  static Duration silence(Duration idleTimeout) {
    Duration part = idleTimeout.dividedBy(SIGNS_OF_LIFE_IN_TIMEOUT);
    return part.compareTo(LONGEST_SILENCE) < 0 ? part : LONGEST_SILENCE;
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
      heartbeat = vertx.setPeriodic(silence.toMillis(), tick -> tell(SIGN_OF_LIFE));
    }
    viewer.write(shown.isEmpty() ? "retry: 2000\n\n" : shown);
    ask();
    return true;
  }

  private void remove(HttpServerResponse viewer) {
    viewers.remove(viewer);
    if (viewers.isEmpty() && timer != NO_TIMER) {
      vertx.cancelTimer(timer);
      vertx.cancelTimer(heartbeat);
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
      tell(event);
    }
  }

  private void tell(String event) {
    for (HttpServerResponse viewer : List.copyOf(viewers)) {
      if (!viewer.writeQueueFull()) {
        viewer.write(event);
      }
    }
  }
}
