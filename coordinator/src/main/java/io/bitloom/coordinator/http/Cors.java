package io.bitloom.coordinator.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Set;

/**
 * Lets pages of sites that the operator names call the API, and nothing else. What browsers add of
 * themselves (a password, a certificate) is never asked for: such a page needs a token of its own.
 */
final class Cors {

  /** Where pages of other sites may call. */
  static final List<String> PATHS = List.of("/api/*", "/bitloom.v1.BatchService/*");

  private static final int NO_CONTENT = 204;

  private final Set<String> origins;

  /**
   * @param origins of the sites: {@code https://app.example}
   */
  Cors(List<String> origins) {
    this.origins = Set.copyOf(origins);
  }

  /** Whether a page may send a request. */
  boolean allows(String origin, String path) {
    return origins.contains(origin)
        && PATHS.stream().anyMatch(all -> path.startsWith(all.substring(0, all.length() - 1)));
  }

  /** Tells browsers so; answers when they only ask. */
  void tell(RoutingContext context) {
    if (origins.isEmpty()) {
      context.next();
      return;
    }
    HttpServerResponse response = context.response().putHeader("Vary", "Origin");
    String origin = context.request().getHeader("Origin");
    if (origin == null || !origins.contains(origin)) {
      context.next();
      return;
    }
    response.putHeader("Access-Control-Allow-Origin", origin);
    boolean asks = context.request().getHeader("Access-Control-Request-Method") != null;
    if (context.request().method().equals(HttpMethod.OPTIONS) && asks) {
      response
          .setStatusCode(NO_CONTENT)
          .putHeader("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE")
          .putHeader(
              "Access-Control-Allow-Headers",
              "Authorization, Content-Type, X-Bitloom, X-Grpc-Web, X-User-Agent, Grpc-Timeout,"
                  + " Last-Event-ID, Traceparent")
          .putHeader("Access-Control-Max-Age", "600")
          .end();
      return;
    }
    response.putHeader("Access-Control-Expose-Headers", "Retry-After");
    context.next();
  }
}
