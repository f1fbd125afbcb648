package io.bitloom.worker.session;

import io.grpc.Status;

/**
 * Failures of something that is tried again and again, so that they are said, but ever more rarely:
 * the first, the second, the fourth, the eighth. Not thread-safe.
 */
final class FailuresInARow {
  private int count;

  /** Counts a failure; true if it is one to be said. */
  boolean isToBeSaid() {
    count++;
    return Integer.bitCount(count) == 1;
  }

  /** It worked. */
  void over() {
    count = 0;
  }

  /** What a status says, in one line. */
  static String why(Status status) {
    StringBuilder why = new StringBuilder(status.getCode().toString());
    if (status.getDescription() != null) {
      why.append(": ").append(status.getDescription());
    }
    if (status.getCause() != null && status.getCause().getMessage() != null) {
      why.append(" (").append(status.getCause().getMessage()).append(')');
    }
    return why.toString();
  }
}
