package io.bitloom.client.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.prompt.PromptLineReader.BadLine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Says what is wrong with the lines of a file and what was done to read it. Lines that are wrong in
 * the same way are said once, with their number and the first of them.
 */
final class PromptFileReport {

  private static final int SHOWN_LINES = 10;
  private static final int JSON_LINES = 100;

  /** More ways to be wrong than these are said line by line. */
  private static final int MOST_KINDS = 100;

  /** Lines that are wrong in the same way. */
  private static final class Kind {
    private final BadLine first;
    private final List<Long> lines = new ArrayList<>();
    private long count;

    Kind(BadLine first) {
      this.first = first;
    }

    void add(BadLine line) {
      count++;
      if (lines.size() < JSON_LINES) {
        lines.add(line.line());
      }
    }

    /** {@code prompts.jsonl: 3 lines (2, 5, 9): size must be …}. */
    @Override
    public String toString() {
      if (count == 1) {
        return first.toString();
      }
      String listed =
          lines.stream().limit(SHOWN_LINES).map(String::valueOf).collect(Collectors.joining(", "));
      String more = count > SHOWN_LINES ? ", …" : "";
      return String.format(
          Locale.ROOT,
          "%s: %,d lines (%s%s): %s",
          first.file(),
          count,
          listed,
          more,
          first.message());
    }

    JsonObject json() {
      JsonObject event = new JsonObject();
      event.addProperty("event", "bad_line");
      event.addProperty("file", first.file());
      event.addProperty("line", first.line());
      event.addProperty("field", first.field());
      event.addProperty("value", first.value());
      event.addProperty("message", first.message());
      event.addProperty("count", count);
      JsonArray numbers = new JsonArray();
      lines.forEach(numbers::add);
      event.add("lines", numbers);
      return event;
    }
  }

  private final Console console;
  private final Map<String, Kind> kinds = new LinkedHashMap<>();

  PromptFileReport(Console console) {
    this.console = console;
  }

  /** A line cannot be taken. It is said when the file is at its end. */
  void badLine(BadLine bad) {
    Kind kind = kinds.get(bad.kind());
    if (kind == null) {
      kind = new Kind(bad);
      if (kinds.size() == MOST_KINDS) {
        kind.add(bad);
        say(kind);
        return;
      }
      kinds.put(bad.kind(), kind);
    }
    kind.add(bad);
  }

  private void say(Kind kind) {
    console.complain(kind.toString(), kind.json());
  }

  /** A file was read to its end. */
  void end(String file, List<String> notes) {
    kinds.values().forEach(this::say);
    kinds.clear();
    notes.forEach(note -> console.note(file, note));
  }
}
