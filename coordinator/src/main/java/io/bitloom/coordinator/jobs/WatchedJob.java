package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.Job;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A job that is watched: read once for all its watchers, at most every {@link #INTERVAL}, and its
 * outcomes by pages that they share.
 */
final class WatchedJob {

  static final Duration INTERVAL = Duration.ofMillis(250);

  /** Outcomes of a page. */
  static final int PAGE = 64;

  /** Watchers are mostly at the end of what there is, which is the same place for all. */
  private static final int PAGES_KEPT = 2;

  /** Who is told what was read; in the timer's thread. */
  interface Watcher {

    void seen(Seen job);

    /** The job cannot be read; nothing more comes. */
    void failed(Throwable error);
  }

  /** A job at one moment. */
  record Seen(boolean terminal, Job job) {}

  private record Page(CompletionStage<List<ResultRecord>> outcomes, boolean full) {}

  private final String jobId;
  private final JobStore jobs;
  private final ResultLog results;
  private final Forecast forecast;
  private final ScheduledExecutorService timer;
  private final Consumer<WatchedJob> onOver;
  private final Subscriptions subscriptions = new Subscriptions();

  // Guarded by this.
  private final List<Watcher> watchers = new ArrayList<>();
  private final Map<Cursor, Page> pages = new LinkedHashMap<>();
  private Seen latest;
  private boolean looking;
  private boolean lookAgain;
  private boolean failed;

  /**
   * @param timer where watchers are told; must not be blocked
   * @param onOver called when this may be {@link #over}
   */
  WatchedJob(
      String jobId,
      JobStore jobs,
      ResultLog results,
      Forecast forecast,
      ScheduledExecutorService timer,
      Consumer<WatchedJob> onOver) {
    this.jobId = jobId;
    this.jobs = jobs;
    this.results = results;
    this.forecast = forecast;
    this.timer = timer;
    this.onOver = onOver;
  }

  String jobId() {
    return jobId;
  }

  /** Begins to read. */
  void start() {
    synchronized (this) {
      looking = true;
    }
    jobs.onChanged(jobId, this::changed)
        .thenAccept(subscriptions::keep)
        .thenCompose(done -> jobs.get(jobId))
        .whenComplete(this::looked);
  }

  /** Adds a watcher, which is told at once how the job is, as far as that is known. */
  Subscription join(Watcher watcher) {
    synchronized (this) {
      watchers.add(watcher);
      if (latest != null) {
        Seen known = latest;
        timer.execute(() -> watcher.seen(known));
      }
    }
    return () -> leave(watcher);
  }

  private void leave(Watcher watcher) {
    boolean last;
    synchronized (this) {
      last = watchers.remove(watcher) && watchers.isEmpty();
    }
    if (last) {
      onOver.accept(this);
    }
  }

  /** Whether nobody watches, or nothing more can be seen. */
  synchronized boolean over() {
    return failed || watchers.isEmpty();
  }

  void end() {
    subscriptions.end();
  }

  private synchronized void changed() {
    lookAgain = true;
    if (!looking && !subscriptions.ended()) {
      looking = true;
      lookAgain = false;
      jobs.get(jobId).whenComplete(this::looked);
    }
  }

  private void looked(JobRecord record, Throwable error) {
    if (error != null) {
      timer.execute(() -> fail(error));
    } else {
      forecast
          .of(record)
          .whenCompleteAsync(
              (job, e) -> {
                if (e != null) {
                  fail(e);
                } else {
                  tell(new Seen(record.terminal(), job));
                }
              },
              timer);
    }
  }

  private void tell(Seen seen) {
    List<Watcher> told;
    synchronized (this) {
      latest = seen;
      pages.values().removeIf(page -> !page.full());
      told = List.copyOf(watchers);
    }
    told.forEach(watcher -> watcher.seen(seen));
    timer.schedule(this::rested, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  private synchronized void rested() {
    looking = false;
    if (lookAgain) {
      changed();
    }
  }

  private void fail(Throwable error) {
    synchronized (this) {
      failed = true;
    }
    onOver.accept(this); // from here on nobody joins
    List<Watcher> told;
    synchronized (this) {
      told = List.copyOf(watchers);
      watchers.clear();
    }
    told.forEach(watcher -> watcher.failed(error));
  }

  /**
   * A page of outcomes behind a place, all that there were when the watchers were told of the job
   * last, and perhaps more.
   */
  synchronized CompletionStage<List<ResultRecord>> page(Cursor after) {
    Page known = pages.get(after);
    if (known != null) {
      return known.outcomes();
    }
    CompletionStage<List<ResultRecord>> page = results.read(jobId, after, PAGE);
    pages.put(after, new Page(page, false));
    Iterator<Cursor> oldest = pages.keySet().iterator();
    for (int more = pages.size() - PAGES_KEPT; more > 0; more--) {
      oldest.next();
      oldest.remove();
    }
    page.whenComplete((outcomes, e) -> read(after, page, outcomes));
    return page;
  }

  /** A full page never changes; one that failed is read anew. */
  private synchronized void read(
      Cursor after, CompletionStage<List<ResultRecord>> page, List<ResultRecord> outcomes) {
    pages.computeIfPresent(
        after,
        (cursor, kept) ->
            kept.outcomes() != page
                ? kept
                : outcomes == null ? null : new Page(page, outcomes.size() == PAGE));
  }
}
