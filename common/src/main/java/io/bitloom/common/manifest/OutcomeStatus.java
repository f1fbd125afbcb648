package io.bitloom.common.manifest;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.PromptResult;

/** What files call the outcome of a prompt. */
public final class OutcomeStatus {

  public static final String SUCCEEDED = "succeeded";
  public static final String FAILED = "failed";

  private OutcomeStatus() {}

  /** {@code succeeded}, {@code failed}, or {@code cancelled} and {@code expired}, which are not. */
  public static String of(PromptResult result) {
    if (!result.hasFailure()) {
      return SUCCEEDED;
    }
    return switch (ErrorCode.find(result.getFailure().getReason()).orElse(ErrorCode.INTERNAL)) {
      case CANCELLED -> "cancelled";
      case EXPIRED -> "expired";
      default -> FAILED;
    };
  }

  /** Whether it was tried and given up. */
  public static boolean failed(PromptResult result) {
    return of(result).equals(FAILED);
  }
}
