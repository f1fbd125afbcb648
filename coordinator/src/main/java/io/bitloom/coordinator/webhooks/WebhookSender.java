package io.bitloom.coordinator.webhooks;

import io.bitloom.common.config.ConfigException;
import io.bitloom.coordinator.config.WebhookConfig;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.SocketAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Posts webhooks over HTTP. Connections go to the address that is given and nowhere else; the name
 * of the host is what the request and TLS say and check. Redirects are not followed, and of an
 * answer no more is read than a little.
 */
final class WebhookSender implements AutoCloseable {

  /** Whoever sends more than this in an answer is not listened to any longer. */
  private static final long MOST_BYTES = 64 << 10;

  private static final Logger log = LoggerFactory.getLogger(WebhookSender.class);

  private final Vertx vertx;
  private final HttpClient client;

  /**
   * @param ca certificates by which those of receivers must be signed; empty: those that Java
   *     trusts
   * @throws ConfigException if the file has none
   */
  WebhookSender(Optional<Path> ca, int mostConnections) {
    HttpClientOptions options = new HttpClientOptions().setKeepAlive(false);
    ca.ifPresent(file -> options.setTrustOptions(trust(file)));
    this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1));
    this.client =
        vertx.createHttpClient(options, new PoolOptions().setHttp1MaxSize(mostConnections));
  }

  private static PemTrustOptions trust(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      CertificateFactory known = CertificateFactory.getInstance("X.509");
      if (!known.generateCertificates(new ByteArrayInputStream(bytes)).isEmpty()) {
        return new PemTrustOptions().addCertValue(Buffer.buffer(bytes));
      }
    } catch (IOException | CertificateException e) {
      log.debug("{} is not used: {}", file, e.toString());
    }
    throw new ConfigException(
        WebhookConfig.CA.name(), file, "must be a readable file of certificates (PEM)");
  }

  /**
   * What a receiver said.
   *
   * @param retryAfter after which time it wants to be asked again, if it says so
   */
  record Answer(int status, Optional<Duration> retryAfter) {

    boolean acknowledged() {
      return status >= 200 && status < 300;
    }
  }

  /**
   * Posts a body of JSON. Fails if there is no answer.
   *
   * @param timeout of all of it
   */
  CompletionStage<Answer> post(
      Receiver receiver,
      InetAddress address,
      Map<String, String> headers,
      String body,
      Duration timeout) {
    Exchange exchange = new Exchange();
    RequestOptions options =
        new RequestOptions()
            .setMethod(HttpMethod.POST)
            .setServer(SocketAddress.inetSocketAddress(receiver.port(), literal(address)))
            .setHost(receiver.host())
            .setPort(receiver.port())
            .setSsl(receiver.tls())
            .setURI(receiver.target())
            .setFollowRedirects(false)
            .setConnectTimeout(Math.max(1, timeout.toMillis()))
            .putHeader("content-type", "application/json")
            .putHeader("user-agent", "Bitloom-Webhooks");
    headers.forEach(options::putHeader);
    vertx.runOnContext(
        now -> {
          long timer = vertx.setTimer(Math.max(1, timeout.toMillis()), t -> exchange.timeOut());
          client
              .request(options)
              .compose(request -> exchange.send(request, body))
              .onSuccess(exchange::answered)
              .onFailure(exchange::fail);
          exchange.end().onComplete(done -> vertx.cancelTimer(timer));
        });
    return exchange.end().toCompletionStage();
  }

  private static String literal(InetAddress address) {
    String text = address.getHostAddress();
    int scope = text.indexOf('%');
    return scope < 0 ? text : text.substring(0, scope);
  }

  /** One request and its answer, on the event loop. */
  private static final class Exchange {

    private final Promise<Answer> promise = Promise.promise();
    private HttpClientRequest request;
    private Answer answer;
    private long read;

    Future<Answer> end() {
      return promise.future();
    }

    Future<HttpClientResponse> send(HttpClientRequest begun, String body) {
      request = begun;
      if (promise.future().isComplete()) {
        close();
        return Future.failedFuture(new TimeoutException());
      }
      return begun.send(body);
    }

    void answered(HttpClientResponse response) {
      answer = new Answer(response.statusCode(), retryAfter(response.getHeader("retry-after")));
      response.exceptionHandler(e -> finish());
      response.endHandler(end -> finish());
      response.handler(
          bytes -> {
            read += bytes.length();
            if (read > MOST_BYTES) {
              finish();
            }
          });
    }

    /** What was said counts, however the rest of it comes. */
    private void finish() {
      promise.tryComplete(answer);
      close();
    }

    void timeOut() {
      if (answer != null) {
        finish();
      } else {
        fail(new TimeoutException());
      }
    }

    void fail(Throwable e) {
      promise.tryFail(e);
      close();
    }

    private void close() {
      if (request != null) {
        request.connection().close();
      }
    }
  }

  /** Seconds, or a date; empty if it is neither. */
  static Optional<Duration> retryAfter(String header) {
    if (header == null) {
      return Optional.empty();
    }
    String text = header.strip();
    if (text.matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Instant date = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration left = Duration.between(Instant.now(), date);
      return Optional.of(left.isNegative() ? Duration.ZERO : left);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    client.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
