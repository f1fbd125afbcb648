package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a sitting has measured, line by line as it goes: a machine that is taken away leaves what
 * was measured until then. A measurement is noted when it begins, so that one in which the process
 * died is known as such and not tried again.
 */
final class SittingJournal {
  private static final String FILE = "sitting.jsonl";
  private static final String FAILED = "failed";

  /**
   * A measurement.
   *
   * @param section the table it belongs to
   * @param row its figures by their names, in their order; {@code failed} says why there are none
   */
  record Entry(String section, JsonObject row) {}

  private final Path file;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private SittingJournal(Path file) {
    this.file = file;
  }

  /** Goes on with the journal of a folder, or begins it. */
  static SittingJournal open(Path folder) throws IOException {
    SittingJournal journal = new SittingJournal(Files.createDirectories(folder).resolve(FILE));
    Map<String, Entry> begun = new LinkedHashMap<>();
    if (Files.exists(journal.file)) {
      for (String line : Files.readAllLines(journal.file)) {
        if (!line.isEmpty()) {
          journal.read(line, begun);
        }
      }
    }
    for (Map.Entry<String, Entry> dead : begun.entrySet()) {
      Entry entry = dead.getValue();
      journal.end(dead.getKey(), entry.section(), failed(entry.row(), "the process ended in it"));
    }
    return journal;
  }

  /** A row with the reason why there is nothing else in it. */
  static JsonObject failed(JsonObject identity, String reason) {
    JsonObject row = identity.deepCopy();
    row.addProperty(FAILED, reason);
    return row;
  }

  /** Whether a row has nothing but a reason. */
  static boolean isFailed(JsonObject row) {
    return row.has(FAILED);
  }

  private void read(String line, Map<String, Entry> begun) {
    JsonObject noted;
    try {
      noted = JsonParser.parseString(line).getAsJsonObject();
    } catch (JsonSyntaxException | IllegalStateException e) {
      return; // half a line, where the machine was taken away
    }
    String key = noted.get("key").getAsString();
    Entry entry = new Entry(noted.get("section").getAsString(), noted.getAsJsonObject("row"));
    if (noted.get("ended").getAsBoolean()) {
      begun.remove(key);
      entries.put(key, entry);
    } else {
      begun.put(key, entry);
    }
  }

  /** Whether a measurement was made, or tried. */
  boolean has(String key) {
    return entries.containsKey(key);
  }

  /** What a measurement came to. */
  JsonObject row(String key) {
    return entries.get(key).row();
  }

  /** All measurements in their order. */
  List<Entry> entries() {
    return new ArrayList<>(entries.values());
  }

  /**
   * Notes that a measurement begins.
   *
   * @param identity what it is of
   */
  void begin(String key, String section, JsonObject identity) throws IOException {
    append(key, section, identity, false);
  }

  /** Notes a measurement. */
  void end(String key, String section, JsonObject row) throws IOException {
    append(key, section, row, true);
    entries.put(key, new Entry(section, row));
  }

  private void append(String key, String section, JsonObject row, boolean ended)
      throws IOException {
    JsonObject noted = new JsonObject();
    noted.addProperty("key", key);
    noted.addProperty("section", section);
    noted.addProperty("ended", ended);
    noted.add("row", row);
    // The line break comes first: after half a line, what follows is a line of its own.
    Files.writeString(
        file,
        "\n" + noted,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND,
        StandardOpenOption.SYNC);
  }
}
