package io.bitloom.common.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GrpcErrorsTest {

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void everyCodeSurvivesTheWayThroughAStatus(ErrorCode code) {
    StatusRuntimeException status =
        GrpcErrors.toStatus(new BitloomException(code, "what happened", "prompts[3].size", "9M"));

    assertEquals(GrpcErrors.status(code), status.getStatus().getCode());
    BitloomException back = GrpcErrors.fromStatus(new CompletionException(status));
    assertEquals(code, back.code());
    assertEquals("what happened", back.getMessage());
    assertEquals(
        List.of(new FieldViolation("prompts[3].size", "9M", "what happened")), back.violations());
  }

  @Test
  void theTextOfAnUnknownExceptionStaysInside() {
    StatusRuntimeException status =
        GrpcErrors.toStatus(new CompletionException(new IllegalStateException("password=hunter2")));

    assertEquals(Status.Code.INTERNAL, status.getStatus().getCode());
    assertFalse(status.toString().contains("hunter2"));
    assertEquals(ErrorCode.INTERNAL, GrpcErrors.fromStatus(status).code());
  }

  @Test
  void aStatusWithoutDetailsGetsTheNearestCode() {
    assertEquals(
        ErrorCode.COORDINATOR_UNAVAILABLE,
        GrpcErrors.fromStatus(Status.UNAVAILABLE.withDescription("refused").asRuntimeException())
            .code());
  }

  @Test
  void manyViolationsByHugeValuesFitIntoAHeader() {
    List<FieldViolation> violations = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      violations.add(FieldViolation.of("prompts[" + i + "].prompt", "画".repeat(5000), "too long"));
    }
    StatusRuntimeException status = GrpcErrors.toStatus(BitloomException.invalid(violations));

    int bytes = 0;
    for (String key : status.getTrailers().keys()) {
      bytes +=
          status.getTrailers().get(Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER)).length;
    }
    int percentEncoded = 9 * status.getStatus().getDescription().length();
    assertTrue(bytes * 4 / 3 + percentEncoded < 8000, bytes + " and " + percentEncoded);
    assertTrue(status.getStatus().getDescription().contains("999 more"));
  }

  @Test
  void shownValuesAreOnePrintableLine() {
    assertEquals("a\\u000ab\\u001b[31m", FieldViolation.shown("a\nb\u001b[31m"));
    assertEquals("\\ud800x", FieldViolation.shown("\ud800x"));
    assertEquals("\\u202egnp.exe", FieldViolation.shown("\u202egnp.exe"));
    assertEquals(81, FieldViolation.shown("x".repeat(81)).length());
  }
}
