package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import java.util.concurrent.ScheduledExecutorService;

/** Tells callers how jobs change. */
public final class JobWatches {

  private final JobStore jobs;
  private final ResultLog results;
  private final JobAccess access;
  private final Forecast forecast;
  private final ProgressFeed feed;
  private final ScheduledExecutorService timer;

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
    new JobWatch(caller, sink, request, jobs, results, forecast, feed, timer)
        .start(access.find(caller, request.getName()));
  }
}
