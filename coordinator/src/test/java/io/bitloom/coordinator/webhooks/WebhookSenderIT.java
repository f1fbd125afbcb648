package io.bitloom.coordinator.webhooks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What receivers do that no library of HTTP does. */
class WebhookSenderIT {

  private static final Duration LONG = Duration.ofMinutes(1);

  private final WebhookSender sender = new WebhookSender(Optional.empty(), 8);
  private ServerSocket server;

  /** What a receiver does with a connection, once it has read a request. */
  private interface Reply {
    void send(Socket connection) throws IOException;
  }

  @BeforeEach
  void listen() throws IOException {
    server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void close() throws IOException {
    sender.close();
    server.close();
  }

  /** Answers one request; the future has its head. */
  private CompletableFuture<String> receive(Reply reply) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (Socket connection = server.accept()) {
            String head = head(connection.getInputStream());
            reply.send(connection);
            return head;
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        });
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      head.append((char) in.read());
    }
    return head.toString();
  }

  private CompletableFuture<WebhookSender.Answer> post(String host, Duration timeout) {
    return sender
        .post(
            Receiver.parse("http://" + host + ":" + server.getLocalPort() + "/a?b=c"),
            InetAddress.getLoopbackAddress(),
            Map.of("webhook-id", "msg_1"),
            "{}",
            timeout)
        .toCompletableFuture();
  }

  private static void write(Socket connection, String text) throws IOException {
    OutputStream out = connection.getOutputStream();
    out.write(text.getBytes(ISO_8859_1));
    out.flush();
  }

  @Test
  void theConnectionGoesToTheAddressAndTheRequestNamesTheHost() {
    CompletableFuture<String> head =
        receive(connection -> write(connection, "HTTP/1.1 204 No Content\r\n\r\n"));
    // Nobody could look up this name.
    assertEquals(204, post("hooks.invalid", LONG).join().status());
    assertTrue(head.join().startsWith("POST /a?b=c HTTP/1.1\r\n"), head.join());
    String host = "host: hooks.invalid:" + server.getLocalPort() + "\r\n";
    assertTrue(head.join().contains(host), head.join());
    assertTrue(head.join().contains("webhook-id: msg_1\r\n"), head.join());
  }

  @Test
  void ofAnEndlessAnswerItsHeadCounts() {
    CompletableFuture<String> cut =
        receive(
            connection -> {
              write(connection, "HTTP/1.1 200 OK\r\n\r\n");
              while (true) { // until the sender has enough
                write(connection, "x".repeat(4096));
              }
            });
    assertEquals(200, post("a.invalid", LONG).join().status());
    assertThrows(CompletionException.class, cut::join);
  }

  @Test
  void anAnswerThatStopsAfterItsHeadCountsWhenTheTimeIsOver() {
    CompletableFuture<WebhookSender.Answer> answer;
    CompletableFuture<String> silent =
        receive(
            connection -> {
              write(connection, "HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\n");
              assertEquals('{', connection.getInputStream().read());
              assertEquals('}', connection.getInputStream().read());
              assertEquals(-1, connection.getInputStream().read()); // the sender closes
            });
    answer = post("a.invalid", Duration.ofMillis(300));
    assertEquals(new WebhookSender.Answer(503, Optional.of(Duration.ofSeconds(7))), answer.join());
    silent.join();
  }

  @Test
  void aConnectionThatIsResetFails() {
    receive(
        connection -> {
          write(connection, "HTTP/1.1 20");
          connection.setSoLinger(true, 0);
        });
    assertThrows(CompletionException.class, () -> post("a.invalid", LONG).join());
  }

  @Test
  void anAnswerThatIsNotOfHttpFails() {
    receive(connection -> write(connection, "SSH-2.0-OpenSSH_9.6\r\n\r\n"));
    assertThrows(CompletionException.class, () -> post("a.invalid", LONG).join());
  }

  @Test
  void whereNoAnswerComesTheTimeEnds() {
    CompletableFuture<WebhookSender.Answer> answer = post("a.invalid", Duration.ofMillis(200));
    Throwable e = assertThrows(CompletionException.class, answer::join).getCause();
    assertEquals(TimeoutException.class, e.getClass());
    assertEquals("no answer in time", Failed.why(e));
  }

  @Test
  void aFileWithoutCertificatesIsNamedAtTheStart(@TempDir Path folder) throws IOException {
    Path none = Files.writeString(folder.resolve("none.pem"), "nonsense");
    for (Path file : List.of(none, folder.resolve("missing.pem"))) {
      ConfigException e =
          assertThrows(
              ConfigException.class, () -> new WebhookSender(Optional.of(file), 1).close());
      assertTrue(e.getMessage().startsWith("webhook-ca must be"), e.getMessage());
    }
  }

  @Test
  void whatAnAttemptFailedByIsOneShortLine() {
    assertEquals("a b", Failed.why(new CompletionException(new IOException("a\r\nb"))));
    assertEquals(200, Failed.why(new IOException("x".repeat(5000))).length());
    assertEquals("IOException", Failed.why(new IOException()));
  }
}
