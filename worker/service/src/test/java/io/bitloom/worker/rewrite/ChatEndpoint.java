package io.bitloom.worker.rewrite;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A real HTTP server that answers as a language model would, or as a test wants it. */
public final class ChatEndpoint implements AutoCloseable {
  /** What was asked. */
  record Question(JsonObject body, String authorization) {
    String prompt() {
      return body.getAsJsonArray("messages").get(1).getAsJsonObject().get("content").getAsString();
    }
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Question> questions = new CopyOnWriteArrayList<>();
  private volatile HttpHandler answer;

  public ChatEndpoint() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/v1/chat/completions",
        exchange -> {
          try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            questions.add(
                new Question(
                    JsonParser.parseString(new String(body, StandardCharsets.UTF_8))
                        .getAsJsonObject(),
                    exchange.getRequestHeaders().getFirst("Authorization")));
            answer.handle(exchange);
          }
        });
    server.start();
    answers("a rewritten text");
  }

  /** The endpoint's address with a time limit that no answer of the tests reaches by chance. */
  public PromptRewriterConfig config() {
    return config(Duration.ofSeconds(30), Optional.empty());
  }

  PromptRewriterConfig config(Duration timeout, Optional<String> key) {
    return new PromptRewriterConfig(
        url("/v1/chat/completions"), "tiny-lm", "Be brief.", timeout, key);
  }

  URI url(String path) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
  }

  List<Question> questions() {
    return questions;
  }

  /** From now on the model answers with this text. */
  public void answers(String text) {
    JsonObject message = new JsonObject();
    message.addProperty("role", "assistant");
    message.addProperty("content", text);
    sends(200, "{\"choices\": [{\"index\": 0, \"message\": " + message + "}], \"usage\": {}}");
  }

  /** From now on the server sends this. */
  public void sends(int status, String body) {
    does(exchange -> send(exchange, status, body));
  }

  void does(HttpHandler handler) {
    answer = handler;
  }

  static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
