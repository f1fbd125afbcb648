package io.bitloom.coordinator.webhooks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLContext;

/** A receiver of webhooks that checks every signature by itself, and answers as a test says. */
final class TestReceiver implements AutoCloseable {

  /** What came, acknowledged or not. */
  record Received(String id, String type, Instant time, String job, JsonObject data, String url) {}

  /** What it answers: a status, 0 for closing the connection, or -1 for nothing before it ends. */
  interface Behaviour {
    int answer(Received event);
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch end = new CountDownLatch(1);
  private final List<Received> all = new ArrayList<>();
  private final List<Received> acknowledged = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private volatile List<String> secrets;
  private volatile Behaviour behaviour = event -> 200;

  private TestReceiver(HttpServer server, String secret) {
    this.server = server;
    this.secrets = List.of(secret);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /**
   * @param port 0 for a free one
   */
  static TestReceiver start(int port, String secret) throws IOException {
    return new TestReceiver(
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000),
        secret);
  }

  static TestReceiver secured(SSLContext tls, String secret) throws IOException {
    HttpsServer server = HttpsServer.create(new InetSocketAddress(0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    return new TestReceiver(server, secret);
  }

  TestReceiver behaving(Behaviour next) {
    this.behaviour = next;
    return this;
  }

  /** From now on every request must have a signature by each of these. */
  void secrets(String... now) {
    this.secrets = List.of(now);
  }

  int port() {
    return server.getAddress().getPort();
  }

  String url(String path) {
    return "http://127.0.0.1:" + port() + path;
  }

  private void handle(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    JsonObject event = JsonParser.parseString(body).getAsJsonObject();
    JsonObject job = event.getAsJsonObject("data");
    Received received =
        new Received(
            header(exchange, "webhook-id"),
            event.get("type").getAsString(),
            Instant.parse(event.get("timestamp").getAsString()),
            job.get("name").getAsString(),
            job,
            exchange.getRequestURI().toString());
    synchronized (this) {
      all.add(received);
      problem(exchange, body).ifPresent(wrong::add);
    }
    int status = behaviour.answer(received);
    if (status == -1) {
      try {
        end.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      exchange.close();
    } else if (status == 0) {
      exchange.close();
    } else {
      synchronized (this) {
        if (status / 100 == 2) {
          acknowledged.add(received);
        }
      }
      exchange.sendResponseHeaders(status, -1);
      exchange.close();
    }
  }

  private static String header(HttpExchange exchange, String name) {
    return exchange.getRequestHeaders().getFirst(name);
  }

  /** Not by the code that is tested. */
  private Optional<String> problem(HttpExchange exchange, String body) {
    String time = header(exchange, "webhook-timestamp");
    long age = Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(time));
    String signed = header(exchange, "webhook-id") + "." + time + "." + body;
    List<String> given = List.of(header(exchange, "webhook-signature").split(" "));
    return secrets.stream().map(secret -> "v1," + hmac(secret, signed)).allMatch(given::contains)
            && age < 300
            && given.size() == secrets.size()
        ? Optional.empty()
        : Optional.of(given + " at " + time + " for " + body);
  }

  private static String hmac(String secret, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** All requests, in the order in which they came. */
  synchronized List<Received> all() {
    return List.copyOf(all);
  }

  /** Types of what was acknowledged of a job, in order. */
  List<String> told(String job) {
    return told(event -> event.job().equals(job), Received::type);
  }

  synchronized <T> List<T> told(Predicate<Received> which, Function<Received, T> what) {
    return acknowledged.stream().filter(which).map(what).collect(Collectors.toList());
  }

  /** Requests whose signature was not right. */
  synchronized Collection<String> wrong() {
    return List.copyOf(wrong);
  }

  @Override
  public void close() {
    end.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
