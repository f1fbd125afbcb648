package io.bitloom.loadtests.gpu;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/** The report of a sitting: {@code report.md} for people, {@code report.json} for programs. */
final class SittingReport {
  private static final MathContext DIGITS = new MathContext(4);
  private static final int WHOLE = 10_000; // from which on decimals say nothing
  private static final Gson JSON =
      new GsonBuilder()
          .setPrettyPrinting()
          .disableHtmlEscaping()
          .serializeSpecialFloatingPointValues()
          .create();

  private final Map<String, List<JsonObject>> sections = new LinkedHashMap<>();

  SittingReport(List<SittingJournal.Entry> entries) {
    for (SittingJournal.Entry entry : entries) {
      sections.computeIfAbsent(entry.section(), section -> new ArrayList<>()).add(entry.row());
    }
  }

  /** Writes both files, in place of earlier ones. */
  void write(Path folder) throws IOException {
    replace(folder.resolve("report.md"), markdown());
    replace(folder.resolve("report.json"), JSON.toJson(json()) + "\n");
  }

  private static void replace(Path file, String content) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.writeString(next, content);
    Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  private JsonObject json() {
    JsonObject tables = new JsonObject();
    sections.forEach(
        (section, rows) -> {
          JsonArray table = new JsonArray();
          rows.forEach(table::add);
          tables.add(section, table);
        });
    JsonArray targets = new JsonArray();
    for (SittingTarget target : SittingTarget.ALL) {
      JsonObject entry = new JsonObject();
      entry.addProperty("target", target.what());
      entry.addProperty("limit", target.limitText());
      OptionalDouble measured = measured(target);
      if (measured.isPresent()) {
        entry.addProperty("measured", measured.getAsDouble());
        entry.addProperty("reached", target.isReachedBy(measured.getAsDouble()));
      }
      targets.add(entry);
    }
    JsonObject report = new JsonObject();
    report.add("targets", targets);
    report.add("sections", tables);
    return report;
  }

  String markdown() {
    StringBuilder page = new StringBuilder("# A sitting\n\n## Targets, on an H100 or H200\n\n");
    page.append("| target | limit | measured | reached |\n|---|---|---|---|\n");
    for (SittingTarget target : SittingTarget.ALL) {
      OptionalDouble measured = measured(target);
      boolean known = measured.isPresent();
      page.append("| ").append(target.what()).append(" | ").append(target.limitText());
      page.append(" | ").append(known ? number(measured.getAsDouble()) : "not measured");
      page.append(" | ").append(known ? yesOrNo(target.isReachedBy(measured.getAsDouble())) : "");
      page.append(" |\n");
    }
    sections.forEach((section, rows) -> page.append(table(section, rows)));
    return page.toString();
  }

  private OptionalDouble measured(SittingTarget target) {
    return target.measured(sections.getOrDefault(DrawingStep.SECTION, List.of()));
  }

  /** A column for every figure that a row has. */
  private static String table(String section, List<JsonObject> rows) {
    Set<String> columns = new LinkedHashSet<>();
    rows.forEach(row -> columns.addAll(row.keySet()));
    StringBuilder table = new StringBuilder("\n## " + section + "\n\n");
    table.append(line(List.copyOf(columns)));
    table.append("|").append("---|".repeat(columns.size())).append("\n");
    for (JsonObject row : rows) {
      table.append(
          line(
              columns.stream()
                  .map(column -> row.has(column) ? cell(row.get(column)) : "")
                  .toList()));
    }
    return table.toString();
  }

  private static String line(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
  }

  private static String cell(JsonElement value) {
    if (value.getAsJsonPrimitive().isNumber()) {
      return number(value.getAsDouble());
    }
    if (value.getAsJsonPrimitive().isBoolean()) {
      return yesOrNo(value.getAsBoolean());
    }
    return value.getAsString().replace("|", "\\|").replaceAll("\\s*\\R\\s*", "; ");
  }

  private static String yesOrNo(boolean value) {
    return value ? "yes" : "no";
  }

  private static String number(double value) {
    if (!Double.isFinite(value)) {
      return Double.toString(value);
    }
    BigDecimal exact = BigDecimal.valueOf(value);
    return Math.abs(value) >= WHOLE
        ? exact.setScale(0, RoundingMode.HALF_EVEN).toPlainString()
        : exact.round(DIGITS).stripTrailingZeros().toPlainString();
  }
}
