package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.prompt.PromptLineReader.BadLine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Says what is wrong with the lines of a file and what was done to read it. To people, lines that
 * are wrong in the same way are said once, with the numbers of the others; machines get them all.
 */
final class PromptFileReport {

  private static final int NUMBERS = 20;

  /** Lines that are wrong like an earlier one. */
  private static final class Others {
    private final List<Long> numbers = new ArrayList<>();
    private long count;

    private void add(long line) {
      count++;
      if (numbers.size() < NUMBERS) {
        numbers.add(line);
      }
    }

    @Override
    public String toString() {
      String listed = numbers.toString();
      String more = count > numbers.size() ? " and " + (count - numbers.size()) + " more" : "";
      return JobReport.plural(count, "more line")
          + ": "
          + listed.substring(1, listed.length() - 1)
          + more;
    }
  }

  private final Console console;
  private final Map<String, Others> othersByKind = new LinkedHashMap<>();

  PromptFileReport(Console console) {
    this.console = console;
  }

  /** Says that a line cannot be taken. */
  void badLine(BadLine bad) {
    Others others = bad.kind().isEmpty() ? null : othersByKind.get(bad.kind());
    if (others != null && !console.isJson()) {
      others.add(bad.line());
      return;
    }
    if (!bad.kind().isEmpty()) {
      othersByKind.put(bad.kind(), new Others());
    }
    JsonObject event = new JsonObject();
    event.addProperty("event", "bad_line");
    event.addProperty("file", bad.file());
    event.addProperty("line", bad.line());
    event.addProperty("field", bad.field());
    event.addProperty("value", bad.value());
    event.addProperty("message", bad.message());
    console.complain(bad.toString(), event);
  }

  /** A file was read to its end. */
  void end(String file, List<String> notes) {
    othersByKind.forEach(
        (kind, others) -> {
          if (others.count > 0) {
            console.note(file, kind + " in " + others);
          }
        });
    othersByKind.clear();
    notes.forEach(note -> console.note(file, note));
  }
}
