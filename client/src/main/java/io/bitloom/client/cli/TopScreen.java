package io.bitloom.client.cli;

import io.bitloom.common.rules.Pools;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.BucketStatus;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.WorkerLease;
import io.bitloom.v1.WorkerStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code top} shows, as lines of text.
 *
 * @param columns longer lines are cut; in few of them names are short and there are no bars
 * @param speeds of the jobs
 */
record TopScreen(List<Job> jobs, GetClusterResponse cluster, int columns, JobSpeeds speeds) {

  private static final int BAR = 16;
  private static final int LONGEST_NAME = 30;
  private static final int SHORTEST_NAME = 12;
  private static final int LONG_DEVICE = 24;
  private static final int SHORT_DEVICE = 12;

  /** What a line takes besides its name and its bar. */
  private static final int NUMBERS = 54;

  /** With jobs' average speeds. */
  TopScreen(List<Job> jobs, GetClusterResponse cluster, int columns) {
    this(jobs, cluster, columns, new JobSpeeds());
  }

  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(headline());
    if (!cluster.getTrouble().isEmpty()) {
      lines.add(row("nothing goes on: %s", cluster.getTrouble()));
    }
    lines.add("");
    lines.add(
        row(
            "%s  %-10s  %s%17s  %7s  %s",
            name("JOB"), "STATE", " ".repeat(bar("").length()), "DONE", "FAILED", "LEFT"));
    for (Job job : jobs) {
      lines.add(line(job));
      lines.add(row("  %s", details(job, Instant.now())));
    }
    if (jobs.isEmpty()) {
      lines.add("no open jobs");
    }
    lines.add("");
    lines.add(row("%s  %s  %9s  %s", name("WORKER"), device("DEVICE"), "IMAGES", "DRAWS"));
    for (int i = 0; i < cluster.getWorkersCount(); i++) {
      lines.add(line(cluster.getWorkers(i), i + 1));
    }
    if (cluster.getWorkersCount() == 0) {
      lines.add("no worker");
    }
    List<BucketStatus> waiting =
        cluster.getBucketsList().stream()
            .filter(bucket -> bucket.getPrompts() + bucket.getRetries() + bucket.getLeased() > 0)
            .toList();
    if (!waiting.isEmpty()) {
      lines.add("");
      lines.add(
          row(
              "%s  %-14s  %9s  %8s  %7s  %s",
              name("MODEL"), "SHAPE", "WAIT", "DRAWN", "AGAIN", "OLDEST"));
      waiting.forEach(bucket -> lines.add(line(bucket)));
    }
    return lines;
  }

  private String headline() {
    long waiting =
        cluster.getBucketsList().stream()
            .mapToLong(bucket -> bucket.getPrompts() + bucket.getRetries())
            .sum();
    long drawn = cluster.getBucketsList().stream().mapToLong(BucketStatus::getLeased).sum();
    long workers = cluster.getWorkersList().stream().filter(WorkerStatus::getConnected).count();
    return row(
        "Bitloom  %s, %,d waiting, %,d being drawn",
        JobReport.plural(workers, "worker"), waiting, drawn);
  }

  private String line(Job job) {
    JobCounts counts = job.getCounts();
    long done = JobReport.done(counts);
    long failed = counts.getFailed();
    String name = job.getDisplayName().isEmpty() ? job.getName() : job.getDisplayName();
    int full = counts.getAppended() == 0 ? 0 : (int) (done * BAR / counts.getAppended());
    return row(
        "%s  %-10s  %s%17s  %7s  %s",
        name(name),
        shortened(JobReport.state(job), 10),
        bar("█".repeat(full) + "░".repeat(BAR - full)),
        String.format(Locale.ROOT, "%,d/%,d", done, counts.getAppended()),
        failed == 0 ? "" : String.format(Locale.ROOT, "%,d", failed),
        left(job));
  }

  /** What does not fit into the table, the name to copy first. */
  private String details(Job job, Instant now) {
    JobFacts facts = new JobFacts(job, now);
    OptionalDouble speed = speeds.of(job, now);
    String waited = job.hasCreateTime() ? facts.queueTime() : "";
    return Stream.of(
            job.getName(),
            facts.images().isEmpty() ? "" : facts.images() + " images",
            speed.isPresent() ? JobFacts.speed(speed.getAsDouble()) : "",
            waited.isEmpty() ? "" : (job.hasStartTime() ? "waited " : "waits ") + waited,
            job.hasPriority() ? "priority " + job.getPriority() : "",
            facts.labels())
        .filter(fact -> !fact.isEmpty())
        .collect(Collectors.joining("  "));
  }

  private static String left(Job job) {
    if (job.hasEstimatedEndTime()) {
      long seconds = job.getEstimatedEndTime().getSeconds() - Instant.now().getEpochSecond();
      return JobProgress.duration(Math.max(0, seconds));
    }
    return job.hasQueuePosition() && job.getQueuePosition() > 0
        ? "after " + JobReport.plural(job.getQueuePosition(), "job")
        : "";
  }

  /**
   * @param number for a worker whose name is not for this caller to know
   */
  private String line(WorkerStatus worker, int number) {
    String name = worker.getId().isEmpty() ? "worker " + number : worker.getId();
    String draws = worker.getLeasesList().stream().findFirst().map(TopScreen::draws).orElse("idle");
    return row(
        "%s  %s  %9s  %s",
        name(name),
        device(worker.getDevice()),
        String.format(Locale.ROOT, "%,d", worker.getImagesDone()),
        (worker.getConnected() ? draws : "cut off") + pool(worker));
  }

  /** Where there are several. */
  private static String pool(WorkerStatus worker) {
    return worker.getPool().isEmpty() || worker.getPool().equals(Pools.DEFAULT)
        ? ""
        : "  (" + worker.getPool() + ")";
  }

  private static String draws(WorkerLease lease) {
    String scale = lease.getScales() == 0 ? "" : "  " + lease.getScale() + "/" + lease.getScales();
    return ScaleSchedules.name(lease.getSchedule())
        + "  "
        + JobReport.plural(lease.getPrompts(), "prompt")
        + scale;
  }

  private String line(BucketStatus bucket) {
    return row(
        "%s  %-14s  %9s  %8s  %7s  %s",
        name(bucket.getModel()),
        ScaleSchedules.name(bucket.getSchedule()),
        String.format(Locale.ROOT, "%,d", bucket.getPrompts()),
        String.format(Locale.ROOT, "%,d", bucket.getLeased()),
        bucket.getRetries() == 0 ? "" : String.format(Locale.ROOT, "%,d", bucket.getRetries()),
        bucket.getPrompts() == 0 ? "" : JobProgress.duration(bucket.getOldest().getSeconds()));
  }

  private String name(String name) {
    int width = Math.max(SHORTEST_NAME, Math.min(LONGEST_NAME, columns - NUMBERS));
    return padded(name, width);
  }

  private String device(String device) {
    return padded(device, wide() ? LONG_DEVICE : SHORT_DEVICE);
  }

  /** The bar with what parts it from the next column; empty where there is no room for it. */
  private String bar(String bar) {
    return wide() ? padded(bar, BAR) + "  " : "";
  }

  private boolean wide() {
    return columns >= LONGEST_NAME + NUMBERS + BAR + 2;
  }

  private static String padded(String text, int width) {
    return TerminalText.padded(text, width);
  }

  private String row(String format, Object... values) {
    String line = String.format(Locale.ROOT, format, values).stripTrailing();
    return shortened(line, Math.max(20, columns));
  }

  private static String shortened(String text, int length) {
    return TerminalText.shortened(text, length);
  }
}
