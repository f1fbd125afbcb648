package io.bitloom.loadtests.queue;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** What was measured, as a Markdown table. */
final class Table {

  private record Row(String what, String measured, String target, String ratio, String others) {}

  private final List<Row> rows = new ArrayList<>();

  void add(String what, String measured, String target, String ratio, String others) {
    rows.add(new Row(what, measured, target, ratio, others));
  }

  void print(PrintWriter out) {
    out.println("| What | Measured | Target | To raw Redis | Others on such a machine |");
    out.println("|---|---:|---:|---:|---|");
    rows.forEach(
        row ->
            out.printf(
                "| %s | %s | %s | %s | %s |%n",
                row.what(), row.measured(), row.target(), row.ratio(), row.others()));
    out.flush();
  }
}
