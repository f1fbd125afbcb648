package io.bitloom.coordinator.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.DeleteVersionRequest;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.SetLabelRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Operators change the registry; clients and workers read it. */
class ModelRightsIT {

  @TempDir Path directory;

  private static String token(String role) throws Exception {
    byte[] digest =
        MessageDigest.getInstance("SHA-256").digest(role.getBytes(StandardCharsets.UTF_8));
    String sha256 = HexFormat.of().formatHex(digest);
    return "{\"sha256\": \"" + sha256 + "\", \"roles\": [\"" + role + "\"]}";
  }

  private static void refused(ErrorCode code, Executable call) {
    assertEquals(code, GrpcErrors.fromStatus(assertThrows(Exception.class, call)).code());
  }

  @Test
  void onlyOperatorsChangeWhatAllMayRead() throws Exception {
    Path tenants =
        Files.writeString(
            directory.resolve("tenants.json"),
            "{\"tenants\": [{\"name\": \"art\", \"tokens\": ["
                + String.join(", ", token("client"), token("operator"), token("worker"))
                + "]}]}");
    try (TestCoordinator coordinator =
        TestCoordinator.start(
            directory,
            new AccessConfig(Optional.of(tenants), false, false, Optional.empty()),
            LimitsConfig.DEFAULTS,
            Optional.empty())) {
      TestModel model = TestModel.of("m", "x", "weights");
      ModelVersion version = model.push(coordinator.withToken("operator"), "latest");
      for (String role : List.of("client", "worker")) {
        TestCoordinator reader = coordinator.withToken(role);
        assertEquals(
            version,
            TestModel.service(reader)
                .getVersion(GetVersionRequest.newBuilder().setVersion("m").build())
                .getVersion());
        refused(ErrorCode.PERMISSION_DENIED, () -> model.create(reader));
        refused(ErrorCode.PERMISSION_DENIED, () -> TestModel.commit(reader, version.getName()));
        refused(
            ErrorCode.PERMISSION_DENIED,
            () ->
                TestModel.upload(
                        reader,
                        version.getName(),
                        TestModel.sha256(model.files().get("part-0")),
                        0,
                        model.files().get("part-0"))
                    .get());
        refused(
            ErrorCode.PERMISSION_DENIED,
            () ->
                TestModel.service(reader)
                    .setLabel(SetLabelRequest.newBuilder().setVersion("m").setLabel("x").build()));
        refused(
            ErrorCode.PERMISSION_DENIED,
            () ->
                TestModel.service(reader)
                    .deleteVersion(
                        DeleteVersionRequest.newBuilder().setVersion(version.getName()).build()));
      }
      refused(ErrorCode.UNAUTHENTICATED, () -> model.create(coordinator.withToken(null)));
    }
  }
}
