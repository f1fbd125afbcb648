package io.bitloom.coordinator.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.BatchServiceGrpc;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** One coordinator for all tests of a class, which knows the model {@code fake}. */
abstract class ApiFixture {

  @TempDir static Path directory;
  static TestCoordinator coordinator;

  @BeforeAll
  static void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
    coordinator.announce("fake", "0.06M", "0.25M");
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  static BatchServiceGrpc.BatchServiceBlockingStub batch() {
    return coordinator.batch();
  }

  /** What a call fails with. */
  static BitloomException error(Executable call) {
    return GrpcErrors.fromStatus(assertThrows(RuntimeException.class, call));
  }

  static void assertError(ErrorCode code, String field, String value, BitloomException e) {
    assertEquals(code, e.code(), e.getMessage());
    assertEquals(field, e.violations().get(0).field());
    assertEquals(value, e.violations().get(0).value());
  }

  static long appended(String job) {
    return coordinator.job(job).getCounts().getAppended();
  }
}
