package io.bitloom.client.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.PrintWriter;

/**
 * What a command says: lines for people, or one JSON object a line for machines. On a terminal a
 * last line can be kept up to date; elsewhere no control codes are written. Thread-safe.
 */
final class Console {

  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();
  private static final String ERASE_LINE = "\r\u001b[K";
  private static final String BOLD = "\u001b[1m";
  private static final String PLAIN = "\u001b[0m";

  private final PrintWriter out;
  private final PrintWriter err;
  private final boolean json;
  private final int columns;
  private final boolean color;
  private boolean hasLiveLine;

  /**
   * @param json whether to write for machines
   * @param columns width of the terminal behind {@code err}; 0 if it is none
   * @param color whether colours are welcome there
   */
  Console(PrintWriter out, PrintWriter err, boolean json, int columns, boolean color) {
    this.out = out;
    this.err = err;
    this.json = json;
    this.columns = columns;
    this.color = color && columns > 0;
  }

  boolean isJson() {
    return json;
  }

  /** Width of the terminal; 0 if there is none. */
  int columns() {
    return json ? 0 : columns;
  }

  /** Says something to people only. */
  synchronized void say(String line) {
    if (!json) {
      eraseLiveLine();
      out.println(line);
      out.flush();
    }
  }

  /** Says something to machines only. */
  synchronized void emit(JsonObject event) {
    if (json) {
      out.println(GSON.toJson(event));
      out.flush();
    }
  }

  /** Says what is wrong: a line on standard error, or an object. */
  synchronized void complain(String line, JsonObject event) {
    if (json) {
      emit(event);
    } else {
      eraseLiveLine();
      err.println(line);
      err.flush();
    }
  }

  /** Says what is worth knowing about a file and no fault: on standard error, or as an object. */
  void note(String file, String message) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "note");
    event.addProperty("file", file);
    event.addProperty("message", message);
    complain(file + ": " + message, event);
  }

  /** Replaces the last line of the terminal; nothing elsewhere. */
  synchronized void live(String line) {
    if (columns() > 0) {
      err.print(ERASE_LINE + line);
      err.flush();
      hasLiveLine = true;
    }
  }

  /** Removes the last line of the terminal. */
  synchronized void endLive() {
    eraseLiveLine();
    err.flush();
  }

  /** Text in bold where that can be seen. */
  String bold(String text) {
    return color ? BOLD + text + PLAIN : text;
  }

  private void eraseLiveLine() {
    if (hasLiveLine) {
      err.print(ERASE_LINE);
      hasLiveLine = false;
    }
  }
}
