package io.bitloom.coordinator.dispatch.worker;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.Hello;
import io.bitloom.v1.MeetTrainingProcessesRequest;
import io.bitloom.v1.TrainingServiceGrpc;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator for each test, which asks for tokens: {@code art} of a client, {@code ops}. */
abstract class TokensFixture {

  @TempDir Path directory;
  TestCoordinator coordinator;

  /** The tokens of workers in the file: objects with commas between. */
  abstract String workerTokens() throws Exception;

  @BeforeEach
  void start() throws Exception {
    String file =
        "{\"tenants\": [{\"name\": \"art\", \"tokens\": ["
            + token("art", "client", "")
            + "]}, {\"name\": \"ops\", \"tokens\": ["
            + token("ops", "operator", "")
            + ", "
            + workerTokens()
            + "]}]}";
    Path tenants = Files.writeString(directory.resolve("tenants.json"), file);
    coordinator =
        TestCoordinator.start(
            directory,
            new AccessConfig(Optional.of(tenants), false, false, Optional.empty()),
            LimitsConfig.DEFAULTS,
            Optional.empty());
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  /**
   * A token of the file.
   *
   * @param more keys, each with a comma before it
   */
  static String token(String token, String role, String more) throws Exception {
    byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    return "{\"sha256\": \"" + digest + "\", \"roles\": [\"" + role + "\"]" + more + "}";
  }

  ScriptedWorker say(String token, Hello.Builder hello) {
    ScriptedWorker worker = new ScriptedWorker(coordinator.withToken(token).calls());
    worker.send(m -> m.setHello(hello));
    return worker;
  }

  /** A process comes to a training group of three and learns the address of the first one. */
  String meet(String token, String group, int rank, String address) {
    return TrainingServiceGrpc.newBlockingStub(coordinator.withToken(token).calls())
        .meetTrainingProcesses(
            MeetTrainingProcessesRequest.newBuilder()
                .setGroup(group)
                .setRank(rank)
                .setCount(3)
                .setAddress(address)
                .build())
        .getAddress();
  }

  static BitloomException error(Executable call) {
    return GrpcErrors.fromStatus(assertThrows(RuntimeException.class, call));
  }
}
