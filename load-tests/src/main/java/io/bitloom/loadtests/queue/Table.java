package io.bitloom.loadtests.queue;

import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What was measured, as a Markdown table with a column for each run for people, and as JSON for
 * programs.
 */
final class Table {

  private record Row(Map<String, String> measured, String target, String others) {}

  private final List<String> runs;
  private final Map<String, Row> rows = new LinkedHashMap<>();
  private final Map<String, JsonObject> figures = new LinkedHashMap<>();

  Table(List<String> runs) {
    this.runs = runs;
  }

  /** A row is told from others by what it is of, so that must be the same in all runs. */
  void add(String run, String what, String measured, String target, String others) {
    rows.computeIfAbsent(what, first -> new Row(new HashMap<>(), target, others))
        .measured()
        .put(run, measured);
  }

  void print(PrintWriter out) {
    out.println("| What | " + String.join(" | ", runs) + " | Target | Others on such a machine |");
    out.println("|---|" + "---:|".repeat(runs.size() + 1) + "---|");
    rows.forEach(
        (what, row) ->
            out.printf(
                Locale.ROOT,
                "| %s | %s | %s | %s |%n",
                what,
                runs.stream()
                    .map(run -> row.measured().getOrDefault(run, ""))
                    .collect(Collectors.joining(" | ")),
                row.target(),
                row.others()));
    out.flush();
  }

  /**
   * Adds a figure for programs.
   *
   * @param name in snake case, with its unit
   */
  void figure(String run, String name, double value) {
    figures.computeIfAbsent(run, first -> new JsonObject()).addProperty(name, value);
  }

  /** One object: {@code {"prompts": …, "runs": {run: {figure: value}}}}. */
  void printJson(PrintWriter out, int prompts) {
    JsonObject all = new JsonObject();
    all.addProperty("prompts", prompts);
    JsonObject byRun = new JsonObject();
    figures.forEach(byRun::add);
    all.add("runs", byRun);
    out.println(all);
    out.flush();
  }
}
