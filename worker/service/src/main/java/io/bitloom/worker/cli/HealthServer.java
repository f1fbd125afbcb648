package io.bitloom.worker.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.bitloom.common.net.KnownHosts;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;

/**
 * The worker's only open port: {@code /health/live}, {@code /health/ready} (503 while there is no
 * coordinator) and {@code /metrics}.
 */
final class HealthServer implements AutoCloseable {
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  private final KnownHosts hosts;
  private final HttpServer server;
  private final ExecutorService executor;

  /**
   * Starts listening.
   *
   * @param bind name or address of an interface
   * @param port 0 for any free one
   * @param ready whether the worker can take work
   */
  static HealthServer start(
      String bind, int port, BooleanSupplier ready, PrometheusMeterRegistry metrics)
      throws IOException {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(bind), port);
    return new HealthServer(HttpServer.create(address, 0), bind, ready, metrics);
  }

  private HealthServer(
      HttpServer server, String bind, BooleanSupplier ready, PrometheusMeterRegistry metrics) {
    this.server = server;
    this.hosts = new KnownHosts(bind, List.of());
    this.executor = Executors.newSingleThreadExecutor(task -> new Thread(task, "health"));
    server.setExecutor(executor);
    server.createContext("/health/live", exchange -> answer(exchange, 200, TEXT, "live\n"));
    server.createContext(
        "/health/ready",
        exchange -> {
          boolean isReady = ready.getAsBoolean();
          answer(exchange, isReady ? 200 : 503, TEXT, isReady ? "ready\n" : "not ready\n");
        });
    server.createContext(
        "/metrics", exchange -> answer(exchange, 200, PROMETHEUS, metrics.scrape()));
    server.start();
  }

  int port() {
    return server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    if (hosts.know(exchange.getRequestHeaders().getFirst("Host"))) {
      send(exchange, status, type, text);
    } else {
      send(exchange, 403, TEXT, "call this port by its IP address or localhost\n");
    }
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
