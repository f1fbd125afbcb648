package io.bitloom.coordinator.webhooks;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.SelfSigned;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.RedisConfig;
import io.bitloom.coordinator.config.WebhookConfig;
import io.bitloom.coordinator.redis.TestRedis;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;

/** Who may be told, and by what they know that it is us. */
class WebhookPolicyIT extends WebhookFixture {

  @Test
  void whileSecretsChangeBothSign() throws Exception {
    String next = "whsec_" + "bmV4dCBzZWNyZXQsIGFzIGxvbmcgYXMgaXQgbXVzdA==";
    Files.writeString(secretFile, SECRET + "\n" + next + "\n");
    try (TestReceiver receiver = TestReceiver.start(0, SECRET);
        TestCoordinator coordinator = start()) {
      receiver.secrets(SECRET, next);
      String job = submit(coordinator, receiver.url("/"), 0);
      awaitTold(receiver, job);
      assertEquals(List.of(), receiver.wrong());
      Files.writeString(secretFile, next + "\n");
      receiver.secrets(next);
      awaitTrue(
          "the file was read again",
          () -> {
            int before = receiver.wrong().size();
            try {
              awaitTold(receiver, submit(coordinator, receiver.url("/"), 0));
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return receiver.wrong().size() == before;
          });
    }
  }

  @Test
  void aCertificateIsCheckedForTheNameInTheUrl() throws Exception {
    SelfSigned pem = SelfSigned.create(directory, "receiver"); // for localhost and 127.0.0.1
    WebhookConfig secured =
        new WebhookConfig(
            Optional.of(secretFile),
            List.of("127.0.0.0/8", "localhost"),
            Duration.ofSeconds(15),
            SOON,
            Optional.of(pem.certificate()));
    try (TestReceiver receiver =
            TestReceiver.secured(tls(directory.resolve("receiver.p12")), SECRET);
        TestCoordinator coordinator = start(secured, 1)) {
      for (String host : List.of("localhost", "127.0.0.1")) {
        String job = submit(coordinator, "https://" + host + ":" + receiver.port() + "/", 0);
        awaitTold(receiver, job);
      }
      int before = receiver.all().size();
      String job = submit(coordinator, "https://127.0.0.2:" + receiver.port() + "/", 0);
      awaitTrue("an attempt", () -> status(coordinator, job).getFailedAttempts() > 0);
      String error = status(coordinator, job).getLastError();
      assertTrue(error.startsWith("TLS: "), error);
      assertEquals(before, receiver.all().size());
      assertEquals(List.of(), receiver.wrong());
    }
  }

  private static SSLContext tls(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
    factory.init(keys, "secret".toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(factory.getKeyManagers(), null, null);
    return tls;
  }

  @Test
  void aHostWhoseNameHasAnAddressThatIsNotPublicIsNotCalled() throws Exception {
    WebhookConfig none =
        new WebhookConfig(
            Optional.of(secretFile),
            List.of("localhost"),
            Duration.ofSeconds(15),
            SOON,
            Optional.empty());
    WebhookConfig now = config(SOON, Duration.ofSeconds(15));
    try (TestReceiver receiver = TestReceiver.start(0, SECRET)) {
      String job;
      try (TestCoordinator coordinator = start(now, 1)) {
        receiver.behaving(event -> 500);
        job = submit(coordinator, receiver.url("/"), 0);
        awaitTrue("an attempt", () -> receiver.all().size() > 0);
      }
      int before = receiver.all().size();
      receiver.behaving(event -> 200);
      // What is allowed holds when an event is sent, not only when its job is created.
      try (TestCoordinator strict = startLater(none, 1)) {
        long failed = status(strict, job).getFailedAttempts();
        awaitTrue("attempts", () -> status(strict, job).getFailedAttempts() > failed + 2);
        assertEquals(
            "the host is not public, and not allowed (--webhook-allow)",
            status(strict, job).getLastError());
        assertEquals(before, receiver.all().size());
        String local = submit(strict, "http://localhost:" + receiver.port() + "/", 0);
        awaitTold(receiver, local);
      }
    }
  }

  @Test
  void whatCannotBeTheReceiverOfAJobIsRefused() throws Exception {
    try (TestCoordinator coordinator = start()) {
      for (String url :
          List.of("ftp://example.com/", "http://10.0.0.1/", "http://169.254.169.254/latest")) {
        BitloomException e =
            assertThrows(BitloomException.class, () -> refused(() -> create(coordinator, url)));
        assertEquals("job.webhook_url", e.violations().get(0).field());
        assertEquals(url, e.violations().get(0).value());
      }
    }
    try (TestCoordinator without = startLater(WebhookConfig.DEFAULTS, 1)) {
      BitloomException e =
          assertThrows(
              BitloomException.class, () -> refused(() -> create(without, "https://example.com/")));
      assertTrue(e.getMessage().contains("no secret"), e.getMessage());
    }
  }

  @Test
  void tenantsHaveSecretsAndAReceiverOfTheirOwn() throws Exception {
    String other = "whsec_" + "b3RoZXIgc2VjcmV0LCBhcyBsb25nIGFzIGl0IG11c3Q=";
    Files.writeString(directory.resolve("b.key"), other);
    try (TestReceiver ofA = TestReceiver.start(0, SECRET);
        TestReceiver ofB = TestReceiver.start(0, other)) {
      Path tenants =
          Files.writeString(
              directory.resolve("tenants.json"),
              String.format(
                  Locale.ROOT,
                  """
                  {"tenants": [
                    {"name": "a", "webhook_url": "%s", "webhook_secrets": ["%s"],
                     "tokens": [{"sha256": "%s", "roles": ["client", "worker"]}]},
                    {"name": "b", "webhook_secrets": ["b.key"],
                     "tokens": [{"sha256": "%s", "roles": ["client"]}]},
                    {"name": "c", "tokens": [{"sha256": "%s", "roles": ["client"]}]}]}
                  """,
                  ofA.url("/a"),
                  SECRET,
                  sha256("a"),
                  sha256("b"),
                  sha256("c")));
      try (TestCoordinator coordinator =
              TestCoordinator.start(
                  directory,
                  new RedisConfig(TestRedis.uri(), namespace, Optional.empty(), 0, 1),
                  new AccessConfig(Optional.of(tenants), false, false, Optional.empty()),
                  new WebhookConfig(
                      Optional.empty(),
                      List.of("127.0.0.1"),
                      Duration.ofSeconds(15),
                      SOON,
                      Optional.empty()));
          FakeWorker worker =
              FakeWorker.start(
                  List.of(coordinator.target()),
                  Optional.of("a"),
                  "w",
                  FakeBehaviour.DEFAULT,
                  (lease, tasks, waitNanos) -> {})) {
        awaitTrue("the worker is welcome", () -> worker.welcomes() > 0);
        String first = submit(coordinator.withToken("a"), "", 0);
        String second = submit(coordinator.withToken("b"), ofB.url("/b"), 0);
        String silent = submit(coordinator.withToken("b"), "", 0);
        awaitTold(ofA, first);
        awaitTold(ofB, second);
        assertFalse(coordinator.withToken("b").job(silent).hasWebhook());
        assertEquals(List.of(), ofA.wrong());
        assertEquals(List.of(), ofB.wrong());
        assertEquals(ofA.url("/a"), coordinator.withToken("a").job(first).getWebhookUrl());
        assertThrows(
            BitloomException.class,
            () -> refused(() -> create(coordinator.withToken("c"), ofA.url("/"))));
      }
    }
  }

  private static void refused(Runnable call) {
    try {
      call.run();
    } catch (StatusRuntimeException e) {
      throw GrpcErrors.fromStatus(e);
    }
  }

  private static String sha256(String text) throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    return HexFormat.of().formatHex(digest);
  }
}
