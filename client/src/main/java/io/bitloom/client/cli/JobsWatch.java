package io.bitloom.client.cli;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.Job;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Shows a list of jobs again and again: in place on a terminal; elsewhere a line or an object for
 * each job that has changed, until all have ended.
 */
final class JobsWatch {

  private static final long TERMINAL_MILLIS = 1000;

  /** Each line of a log costs a reader more than a change of a screen. */
  private static final long LOG_MILLIS = 5000;

  private final Console console;
  private final Supplier<List<Job>> source;
  private final JobSpeeds speeds = new JobSpeeds();

  /**
   * @param source asks for the jobs
   */
  JobsWatch(Console console, Supplier<List<Job>> source) {
    this.console = console;
    this.source = source;
  }

  /** Returns when somebody quits, or without a terminal when all jobs have ended. */
  void run() throws IOException {
    if (console.columns() > 0) {
      onTerminal();
    } else {
      asLog();
    }
  }

  private record Listed(List<Job> jobs, long nanos, JobSpeeds speeds) implements TopFeed.Answer {
    @Override
    public List<String> lines(int columns) {
      List<String> lines = new ArrayList<>();
      lines.add(JobReport.plural(jobs.size(), "job"));
      lines.add("");
      lines.addAll(new JobTable(jobs, speeds, Instant.now(), columns).lines());
      return lines;
    }
  }

  private void onTerminal() throws IOException {
    try (TopFeed feed = new TopFeed(() -> new Listed(look(), System.nanoTime(), speeds));
        Terminal terminal = Terminal.open()) {
      do {
        Terminal.Size size = terminal.size();
        terminal.show(feed.lines(size.columns()), size);
      } while (!terminal.quitWithin(TERMINAL_MILLIS));
    }
  }

  private List<Job> look() {
    List<Job> jobs = source.get();
    speeds.look(jobs, System.nanoTime());
    return jobs;
  }

  private void asLog() {
    Map<String, Job> before = new HashMap<>();
    List<Job> jobs = look();
    boolean first = true;
    while (true) {
      List<Job> changed =
          jobs.stream().filter(job -> isNews(before.put(job.getName(), job), job)).toList();
      say(changed, first);
      first = false;
      if (jobs.stream().noneMatch(job -> TopCommand.OPEN.contains(job.getState()))) {
        return;
      }
      pause();
      jobs = look();
    }
  }

  /** Estimates change all the time. */
  private static boolean isNews(Job before, Job now) {
    return before == null
        || before.getState() != now.getState()
        || before.getPriority() != now.getPriority()
        || !before.getCounts().equals(now.getCounts());
  }

  private void say(List<Job> changed, boolean first) {
    changed.forEach(job -> console.emit(JobReport.json(job)));
    if (!changed.isEmpty()) {
      List<String> lines = new JobTable(changed, speeds, Instant.now(), 0).lines();
      lines.subList(first ? 0 : 1, lines.size()).forEach(console::say);
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(LOG_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BitloomException(ErrorCode.CANCELLED, "interrupted", e);
    }
  }
}
