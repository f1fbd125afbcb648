package io.bitloom.common.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutcomeStatusTest {

  @ParameterizedTest
  @CsvSource({
    "CANCELLED, cancelled, false",
    "EXPIRED, expired, false",
    "OUT_OF_MEMORY, failed, true",
    "A_REASON_OF_TOMORROW, failed, true"
  })
  void aPromptThatWasStoppedDidNotFail(String reason, String status, boolean failed) {
    PromptResult result =
        PromptResult.newBuilder().setFailure(PromptFailure.newBuilder().setReason(reason)).build();
    assertEquals(status, OutcomeStatus.of(result));
    assertEquals(failed, OutcomeStatus.failed(result));
  }

  @Test
  void aPromptWithImagesSucceeded() {
    assertEquals(
        "succeeded",
        OutcomeStatus.of(
            PromptResult.newBuilder().setImages(GeneratedImages.getDefaultInstance()).build()));
  }
}
