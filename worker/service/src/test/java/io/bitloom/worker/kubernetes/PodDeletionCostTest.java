package io.bitloom.worker.kubernetes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against an API server that speaks TLS and takes down what it is asked. */
class PodDeletionCostTest {
  private static final Duration LOOK = Duration.ofMillis(5);
  private static final char[] PASSWORD = "secret".toCharArray();

  @TempDir Path account;
  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicBoolean busy = new AtomicBoolean();
  private HttpsServer server;

  @BeforeEach
  void start() throws Exception {
    KeyStore keys = keys();
    Files.writeString(
        account.resolve("ca.crt"),
        "-----BEGIN CERTIFICATE-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(keys.getCertificate("api").getEncoded())
            + "\n-----END CERTIFICATE-----\n");
    Files.writeString(account.resolve("namespace"), "pictures\n");
    Files.writeString(account.resolve("token"), "first");
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    server.createContext("/", this::answer);
    server.start();
  }

  private KeyStore keys() throws Exception {
    Path store = account.resolve("api.p12");
    Process keytool =
        new ProcessBuilder(
                (Path.of(System.getProperty("java.home"), "bin", "keytool")
                        + " -genkeypair -alias api -keyalg EC -dname CN=api -ext san=ip:127.0.0.1"
                        + " -storetype PKCS12 -storepass secret -keystore "
                        + store)
                    .split(" "))
            .redirectErrorStream(true)
            .start();
    String output = new String(keytool.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, keytool.waitFor(), output);
    return KeyStore.getInstance(store.toFile(), PASSWORD);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      boolean refused = refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
      said.add(
          String.join(
              " ",
              exchange.getRequestMethod(),
              exchange.getRequestURI().getPath(),
              exchange.getRequestHeaders().getFirst("Content-Type"),
              exchange.getRequestHeaders().getFirst("Authorization"),
              body));
      exchange.sendResponseHeaders(refused ? 403 : 200, -1);
    }
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private Map<String, String> environment() {
    return Map.of(
        "KUBERNETES_SERVICE_HOST", "127.0.0.1",
        "KUBERNETES_SERVICE_PORT", String.valueOf(server.getAddress().getPort()),
        "HOSTNAME", "bitloom-worker-cpu-7d4b9-x2x4z");
  }

  private static String patch(String token, int cost) {
    return "PATCH /api/v1/namespaces/pictures/pods/bitloom-worker-cpu-7d4b9-x2x4z"
        + " application/merge-patch+json Bearer "
        + token
        + " {\"metadata\":{\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\""
        + cost
        + "\"}}}";
  }

  private String next() throws InterruptedException {
    return said.poll(1, TimeUnit.MINUTES);
  }

  @Test
  void workIsSaidWhenItBeginsAndWhenItHasEndedWithTheTokenOfThatTime() throws Exception {
    try (PodDeletionCost cost =
        new PodDeletionCost(ApiServer.of(environment(), account), busy::get, LOOK)) {
      busy.set(true);
      assertEquals(patch("first", 100), next());
      Files.writeString(account.resolve("token"), "second");
      busy.set(false);
      assertEquals(patch("second", 0), next());
      busy.set(true);
      assertEquals(patch("second", 100), next());
      assertNull(said.poll(), "said more than was asked");
    }
  }

  @Test
  void whatWasRefusedIsSaidAgain() throws Exception {
    refusals.set(2);
    busy.set(true);
    try (PodDeletionCost cost =
        new PodDeletionCost(ApiServer.of(environment(), account), busy::get, LOOK)) {
      for (int i = 0; i < 3; i++) {
        assertEquals(patch("first", 100), next());
      }
    }
  }

  @Test
  void noPodIsNamedAsSuch() {
    IOException outside = assertThrows(IOException.class, () -> ApiServer.of(Map.of(), account));
    assertTrue(outside.getMessage().contains("KUBERNETES_SERVICE_HOST"), outside.getMessage());
    assertThrows(IOException.class, () -> ApiServer.of(environment(), account.resolve("no-token")));
  }
}
