package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import java.util.concurrent.ScheduledExecutorService;

/** Tells callers how jobs change. */
public final class JobWatches {

  private final JobQueue queue;
  private final JobAccess access;
  private final Forecast forecast;
  private final ProgressFeed feed;
  private final ScheduledExecutorService timer;

  /**
   * @param timer where watchers are told
   */
  public JobWatches(
      JobQueue queue, Forecast forecast, ProgressFeed feed, ScheduledExecutorService timer) {
    this.queue = queue;
    this.access = new JobAccess(queue);
    this.forecast = forecast;
    this.feed = feed;
    this.timer = timer;
  }

  /** Sends a job whenever it changes, until it has ended. */
  public void watch(Caller caller, WatchJobRequest request, ResponseSink<WatchJobResponse> sink) {
    new JobWatch(caller, sink, request, queue, forecast, feed, timer)
        .start(access.find(caller, request.getName()));
  }
}
