package io.bitloom.worker.session;

import io.grpc.Status;
import java.util.Locale;
import java.util.Objects;

/**
 * Failures of something that is tried again and again, so that they are said, but ever more rarely:
 * the first, the second, the fourth, the eighth. Not thread-safe.
 */
final class FailuresInARow {
  /** How gRPC's transport begins its complaint about another protocol. */
  private static final String NO_HTTP2 = "http2 exception";

  /** What it says where the cause says more. */
  private static final String NO_TRANSPORT = "io exception";

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

  /** What a status says, in one line for people. */
  static String why(Status status) {
    String said = Objects.requireNonNullElse(status.getDescription(), "");
    if (said.startsWith(NO_HTTP2)) {
      return "what listens there does not speak gRPC; a coordinator does so on its gRPC port, by"
          + " default 7700 (7701 is that of its pages)";
    }
    String cause = status.getCause() == null ? null : status.getCause().getMessage();
    if (said.isEmpty() || said.equals(NO_TRANSPORT)) {
      return Objects.requireNonNullElse(
          cause, status.getCode().toString().toLowerCase(Locale.ROOT).replace('_', ' '));
    }
    return cause == null || said.contains(cause) ? said : said + " (" + cause + ")";
  }
}
