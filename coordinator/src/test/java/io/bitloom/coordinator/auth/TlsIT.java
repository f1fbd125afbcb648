package io.bitloom.coordinator.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.GetLimitsRequest;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gRPC port that is secured, and asks callers for certificates. */
class TlsIT {

  /** Files of a self-signed certificate. */
  private record Identity(Path certificate, Path key) {}

  @TempDir static Path directory;
  private static Identity server;
  private static Identity client;
  private static TestCoordinator coordinator;

  @BeforeAll
  static void start() throws Exception {
    server = identity("server");
    client = identity("client");
    coordinator =
        TestCoordinator.start(
            directory,
            new AccessConfig(
                Optional.empty(),
                false,
                Optional.of(
                    new AccessConfig.Tls(
                        server.certificate(), server.key(), Optional.of(client.certificate())))),
            LimitsConfig.DEFAULTS,
            Optional.empty());
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  private static Identity identity(String name) throws Exception {
    Path store = directory.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=ip:127.0.0.1,dns:localhost",
                "-storetype",
                "PKCS12",
                "-storepass",
                "secret",
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes());
    assertEquals(0, keytool.waitFor(), said);
    KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    return new Identity(
        pem(name + ".crt", "CERTIFICATE", keys.getCertificate(name).getEncoded()),
        pem(name + ".key", "PRIVATE KEY", keys.getKey(name, "secret".toCharArray()).getEncoded()));
  }

  private static Path pem(String file, String title, byte[] bytes) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
    return Files.writeString(
        directory.resolve(file),
        "-----BEGIN " + title + "-----\n" + body + "\n-----END " + title + "-----\n");
  }

  private static String tenant(ChannelCredentials credentials) {
    ManagedChannel channel = Grpc.newChannelBuilder(coordinator.target(), credentials).build();
    try {
      return BatchServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(20, TimeUnit.SECONDS)
          .getLimits(GetLimitsRequest.getDefaultInstance())
          .getTenant();
    } finally {
      channel.shutdownNow();
    }
  }

  private static void assertRefused(ChannelCredentials credentials) {
    StatusRuntimeException e =
        assertThrows(StatusRuntimeException.class, () -> tenant(credentials));
    assertEquals(Status.Code.UNAVAILABLE, e.getStatus().getCode());
  }

  @Test
  void onlyACallerWithAKnownCertificateWhoTrustsTheServersIsLetIn() throws Exception {
    assertEquals(
        "default",
        tenant(
            TlsChannelCredentials.newBuilder()
                .trustManager(server.certificate().toFile())
                .keyManager(client.certificate().toFile(), client.key().toFile())
                .build()));
    assertRefused(InsecureChannelCredentials.create());
    assertRefused(
        TlsChannelCredentials.newBuilder().trustManager(server.certificate().toFile()).build());
    assertRefused(
        TlsChannelCredentials.newBuilder()
            .trustManager(server.certificate().toFile())
            .keyManager(server.certificate().toFile(), server.key().toFile())
            .build());
  }
}
