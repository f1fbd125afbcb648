package io.bitloom.coordinator.webhooks;

import java.net.ConnectException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** Why an attempt failed, in words for people. */
final class Failed extends RuntimeException {

  private static final int MOST_CHARACTERS = 200;
  private static final long serialVersionUID = 1;

  Failed(String message) {
    super(message, null, false, false);
  }

  /** What any error says of an attempt, in one short line. */
  static String why(Throwable error) {
    Throwable e = error;
    while (e instanceof CompletionException && e.getCause() != null) {
      e = e.getCause();
    }
    if (e instanceof Failed) {
      return e.getMessage();
    }
    if (e instanceof TimeoutException) {
      return "no answer in time";
    }
    if (e instanceof ConnectException) {
      return "nobody is there: " + line(e);
    }
    return e instanceof SSLException ? "TLS: " + line(e) : line(e);
  }

  private static String line(Throwable e) {
    String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    String line = text.replaceAll("[\\p{Cntrl}]+", " ").strip();
    return line.length() > MOST_CHARACTERS ? line.substring(0, MOST_CHARACTERS) : line;
  }
}
