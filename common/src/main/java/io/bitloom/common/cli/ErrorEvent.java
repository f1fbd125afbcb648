package io.bitloom.common.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import java.util.Collection;

/** What a command that was told {@code --json} writes when it cannot do what it was asked for. */
public final class ErrorEvent {

  /** The command line is wrong. */
  public static final String USAGE = "USAGE";

  /** A file that was given is not what it should be. */
  public static final String INVALID_FILE = "INVALID_FILE";

  /** A file or a connection broke. */
  public static final String IO = "IO";

  /** Another process owns the folder. */
  public static final String FOLDER_IN_USE = "FOLDER_IN_USE";

  private ErrorEvent() {}

  /**
   * An error.
   *
   * @param reason stable, in upper snake case
   * @param message for people
   */
  public static JsonObject of(String reason, String message) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "error");
    event.addProperty("reason", reason);
    event.addProperty("message", message);
    return event;
  }

  /** An error with its code as the reason, and the first field that is to blame. */
  public static JsonObject of(BitloomException e, String message) {
    JsonObject event = of(e.code().name(), message);
    if (!e.violations().isEmpty()) {
      FieldViolation violation = e.violations().get(0);
      event.addProperty("field", violation.field());
      event.addProperty("value", violation.value());
    }
    return event;
  }

  /** Whether a command line that could not be understood asks for JSON. */
  public static boolean wanted(Collection<String> arguments) {
    return arguments.contains("--json");
  }
}
