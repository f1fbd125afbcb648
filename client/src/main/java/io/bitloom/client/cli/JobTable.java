package io.bitloom.client.cli;

import io.bitloom.v1.Job;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Jobs as a table, a line for each. The job's name is never cut, as people copy it.
 *
 * @param columns of the terminal; 0: as many as it takes
 */
record JobTable(List<Job> jobs, JobSpeeds speeds, Instant now, int columns) {

  private static final String GAP = "  ";

  /** A narrower one says nothing. */
  private static final int SHORTEST_NAME = 8;

  /**
   * A column.
   *
   * @param rank those of low rank go first where there is no room
   * @param right whether its cells end below each other
   */
  private record Column(String title, int rank, boolean right, List<String> cells) {
    int width() {
      int widest = cells.stream().mapToInt(TerminalText::width).max().orElse(0);
      return Math.max(title.length(), widest);
    }
  }

  /** The titles, then a line for each job. */
  List<String> lines() {
    List<Column> all =
        List.of(
            column("JOB", 9, false, Job::getName),
            column("STATE", 8, false, JobReport::state),
            column("PROMPTS", 7, true, JobTable::prompts),
            column("FAILED", 4, true, job -> Long.toString(job.getCounts().getFailed())),
            column("CANCELLED", 2, true, job -> Long.toString(job.getCounts().getCancelled())),
            column("IMAGES", 5, true, job -> facts(job).images()),
            column("SPEED", 3, true, this::speed),
            column("WAIT", 2, true, job -> facts(job).queueTime()),
            column("PRIORITY", 3, true, job -> Integer.toString(job.getPriority())),
            column("CREATED", 1, false, job -> JobReport.time(job.getCreateTime())),
            column("LABELS", 0, false, job -> facts(job).labels()));
    List<Column> shown = columns == 0 ? all : fitting(all);
    List<String> lines = new ArrayList<>();
    lines.add(line(shown, -1, "NAME"));
    for (int i = 0; i < jobs.size(); i++) {
      lines.add(line(shown, i, jobs.get(i).getDisplayName()));
    }
    return lines;
  }

  private Column column(String title, int rank, boolean right, Function<Job, String> cell) {
    return new Column(title, rank, right, jobs.stream().map(cell).toList());
  }

  private JobFacts facts(Job job) {
    return new JobFacts(job, now);
  }

  private String speed(Job job) {
    var speed = speeds.of(job, now);
    return speed.isPresent() ? JobFacts.speed(speed.getAsDouble()) : "";
  }

  private static String prompts(Job job) {
    return String.format(
        Locale.ROOT, "%,d/%,d", JobReport.done(job.getCounts()), job.getCounts().getAppended());
  }

  /** Leaves out columns, those of the lowest rank first, until the name has room. */
  private List<Column> fitting(List<Column> all) {
    List<Column> shown = new ArrayList<>(all);
    while (shown.size() > 1 && width(shown) + SHORTEST_NAME > columns) {
      shown.remove(shown.stream().min(Comparator.comparingInt(Column::rank)).orElseThrow());
    }
    return shown;
  }

  /** With the gap behind each column. */
  private static int width(List<Column> shown) {
    return shown.stream().mapToInt(column -> column.width() + GAP.length()).sum();
  }

  /**
   * @param row -1 for the titles
   */
  private String line(List<Column> shown, int row, String name) {
    StringBuilder line = new StringBuilder();
    for (Column column : shown) {
      String cell = row < 0 ? column.title() : column.cells().get(row);
      String padding = " ".repeat(column.width() - TerminalText.width(cell));
      line.append(column.right() ? padding + cell : cell + padding).append(GAP);
    }
    int room = columns == 0 ? 200 : Math.max(SHORTEST_NAME, columns - width(shown));
    return line.append(TerminalText.shortened(name, room)).toString().stripTrailing();
  }
}
