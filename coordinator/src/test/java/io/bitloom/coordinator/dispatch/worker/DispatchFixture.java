package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.OutcomeAckStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator for each test, which knows the model {@code fake} and has no worker. */
abstract class DispatchFixture {

  static final OutcomeAckStatus COMMITTED = OutcomeAckStatus.OUTCOME_ACK_STATUS_COMMITTED;
  static final OutcomeAckStatus SUPERSEDED = OutcomeAckStatus.OUTCOME_ACK_STATUS_SUPERSEDED;

  @TempDir Path directory;
  TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
    coordinator.announce("fake", "0.06M", "0.25M");
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  ScriptedWorker connect(String workerId, HeldLease... held) throws Exception {
    return new ScriptedWorker(coordinator.channel()).welcome(workerId, held);
  }

  ScriptedWorker connectRelative(String workerId, HeldLease... held) throws Exception {
    return new ScriptedWorker(coordinator.channel()).welcomeRelative(workerId, held);
  }

  /** How many images the result store has. */
  long storedImages() throws IOException {
    try (Stream<Path> stored = Files.walk(directory)) {
      return stored.filter(file -> file.toString().endsWith(".png")).count();
    }
  }
}
