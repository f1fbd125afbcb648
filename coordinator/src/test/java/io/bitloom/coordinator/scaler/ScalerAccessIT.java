package io.bitloom.coordinator.scaler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.externalscaler.ExternalScalerGrpc;
import io.bitloom.externalscaler.ScaledObjectRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whom a coordinator with tokens tells how many workers it needs. */
class ScalerAccessIT {

  @TempDir Path directory;

  private TestCoordinator start(boolean open) throws Exception {
    String file =
        String.format(
            Locale.ROOT,
            """
            {"tenants": [{"name": "ops", "tokens": [
              {"sha256": "%s", "roles": ["client"]},
              {"sha256": "%s", "roles": ["operator"]},
              {"sha256": "%s", "roles": ["worker"]}]}]}
            """,
            sha256("art"),
            sha256("ops"),
            sha256("gpu"));
    return start(Files.writeString(directory.resolve("tenants.json"), file), open);
  }

  private TestCoordinator start(Path tenants, boolean open) throws IOException {
    return TestCoordinator.start(
        directory,
        new AccessConfig(Optional.of(tenants), false, open, Optional.empty()),
        LimitsConfig.DEFAULTS,
        Optional.empty());
  }

  private static String sha256(String token) throws Exception {
    byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static boolean active(TestCoordinator of, String... token) {
    ScaledObjectRef.Builder what = ScaledObjectRef.newBuilder();
    if (token.length > 0) {
      what.putScalerMetadata("tokenFromEnv", token[0]);
    }
    return ExternalScalerGrpc.newBlockingStub(of.calls()).isActive(what.build()).getResult();
  }

  private static ErrorCode refusal(TestCoordinator of, String... token) {
    return GrpcErrors.fromStatus(assertThrows(RuntimeException.class, () -> active(of, token)))
        .code();
  }

  @Test
  void workersAndOperatorsAreTold() throws Exception {
    try (TestCoordinator coordinator = start(false)) {
      assertFalse(active(coordinator, "gpu"));
      assertFalse(active(coordinator, "ops"));
      assertFalse(active(coordinator.withToken("gpu")));
      assertFalse(active(coordinator.withToken("ops")));
      assertEquals(ErrorCode.UNAUTHENTICATED, refusal(coordinator));
      assertEquals(ErrorCode.UNAUTHENTICATED, refusal(coordinator, ""));
      assertEquals(ErrorCode.UNAUTHENTICATED, refusal(coordinator, "guessed"));
      assertEquals(ErrorCode.PERMISSION_DENIED, refusal(coordinator, "art"));
      assertEquals(ErrorCode.PERMISSION_DENIED, refusal(coordinator.withToken("art")));
      assertEquals(ErrorCode.PERMISSION_DENIED, refusal(coordinator.withToken("art"), "ops"));
    }
  }

  @Test
  void everybodyIsToldWhereThatIsAllowed() throws Exception {
    try (TestCoordinator coordinator = start(true)) {
      assertFalse(active(coordinator));
    }
  }
}
