package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;

/** Tells callers how jobs change. A job is read once for all who watch it here. */
public final class JobWatches {

  private final JobStore jobs;
  private final ResultLog results;
  private final JobAccess access;
  private final Forecast forecast;
  private final ProgressFeed feed;
  private final ScheduledExecutorService timer;

  // Guarded by itself.
  private final Map<String, WatchedJob> watched = new HashMap<>();

  /**
   * @param timer where watchers are told
   */
  public JobWatches(
      JobStore jobs,
      ResultLog results,
      Forecast forecast,
      ProgressFeed feed,
      ScheduledExecutorService timer) {
    this.jobs = jobs;
    this.results = results;
    this.access = new JobAccess(jobs);
    this.forecast = forecast;
    this.feed = feed;
    this.timer = timer;
  }

  /** Sends a job whenever it changes, until it has ended. */
  public void watch(Caller caller, WatchJobRequest request, ResponseSink<WatchJobResponse> sink) {
    new JobWatch(caller, sink, request, this, feed, timer)
        .start(access.find(caller, request.getName()));
  }

  /**
   * Adds a watcher of a job.
   *
   * @param subscriptions of the watcher, which leaves when they end
   */
  WatchedJob join(String jobId, WatchedJob.Watcher watcher, Subscriptions subscriptions) {
    WatchedJob job;
    Subscription joined;
    synchronized (watched) {
      boolean first = !watched.containsKey(jobId);
      job = watched.computeIfAbsent(jobId, this::watched);
      joined = job.join(watcher);
      if (first) {
        job.start();
      }
    }
    subscriptions.keep(joined);
    return job;
  }

  private WatchedJob watched(String jobId) {
    return new WatchedJob(jobId, jobs, results, forecast, timer, this::forget);
  }

  private void forget(WatchedJob job) {
    synchronized (watched) {
      if (!job.over()) {
        return; // another watcher came just now
      }
      watched.remove(job.jobId(), job);
    }
    job.end();
  }
}
