package io.bitloom.client.cli;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Asks for what {@code top} or {@code list --watch} shows, on a thread of its own, so that the
 * terminal answers to keys and to a new size while the coordinator does not answer.
 */
final class TopFeed implements AutoCloseable {

  private static final long INTERVAL_MILLIS = 1000;
  private static final long SILENT_SECONDS = 3;

  /** What the coordinator said. */
  interface Answer {

    /** When it came, by {@link System#nanoTime}. */
    long nanos();

    /** How it is shown; the second line is free for a notice. */
    List<String> lines(int columns);
  }

  /**
   * Jobs and cluster.
   *
   * @param speeds of the jobs
   */
  record View(List<Job> jobs, GetClusterResponse cluster, long nanos, JobSpeeds speeds)
      implements Answer {

    View(List<Job> jobs, GetClusterResponse cluster, long nanos) {
      this(jobs, cluster, nanos, new JobSpeeds());
    }

    @Override
    public List<String> lines(int columns) {
      return new TopScreen(jobs, cluster, columns, speeds).lines();
    }
  }

  private final Supplier<? extends Answer> source;
  private final Thread thread = new Thread(this::ask, "top");
  private final long start = System.nanoTime();
  private volatile Answer last;
  private volatile BitloomException refusal;

  /**
   * @param source may block, and fail with a {@link BitloomException}
   */
  TopFeed(Supplier<? extends Answer> source) {
    this.source = source;
    thread.setDaemon(true);
    thread.start();
  }

  private void ask() {
    try {
      while (refusal == null) {
        look();
        TimeUnit.MILLISECONDS.sleep(INTERVAL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // The end of the feed.
    }
  }

  private void look() {
    try {
      last = source.get();
    } catch (BitloomException e) {
      // A coordinator that is away may come back.
      if (e.code().fault() != ErrorCode.Fault.RESOURCE) {
        refusal = e;
      }
    }
  }

  /**
   * What is known, as lines of text.
   *
   * @throws BitloomException if the coordinator refuses to say it
   */
  List<String> lines(int columns) {
    if (refusal != null) {
      throw refusal;
    }
    Answer view = last;
    long silent =
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - (view == null ? start : view.nanos()));
    String notice =
        silent < SILENT_SECONDS
            ? ""
            : "no answer for " + JobProgress.duration(silent) + ", asking again; q quits";
    if (view == null) {
      return List.of("Bitloom", notice);
    }
    List<String> lines = new ArrayList<>(view.lines(columns));
    lines.set(1, notice);
    return lines;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
