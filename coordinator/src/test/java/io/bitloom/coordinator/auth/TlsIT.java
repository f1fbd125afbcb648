package io.bitloom.coordinator.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.coordinator.SelfSigned;
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
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gRPC port that is secured, and asks callers for certificates. */
class TlsIT {

  @TempDir static Path directory;
  private static SelfSigned server;
  private static SelfSigned client;
  private static TestCoordinator coordinator;

  @BeforeAll
  static void start() throws Exception {
    server = SelfSigned.create(directory, "server");
    client = SelfSigned.create(directory, "client");
    coordinator =
        TestCoordinator.start(
            directory,
            new AccessConfig(
                Optional.empty(),
                false,
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

  private static String tenant(ChannelCredentials credentials) {
    ManagedChannel channel = Grpc.newChannelBuilder(coordinator.target(), credentials).build();
    try {
      return BatchServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)
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
