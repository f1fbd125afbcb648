package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptEvent;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * One WatchJob call. Changes that come faster than {@link #INTERVAL}, or faster than the watcher
 * reads, are told as one; of the prompts' events none is left out. All messages are sent from the
 * timer's thread.
 */
final class JobWatch {

  private static final Duration INTERVAL = Duration.ofMillis(250);
  private static final int EVENTS = 64;

  private final ResponseSink<WatchJobResponse> caller;
  private final JobStore jobs;
  private final ResultLog results;
  private final Forecast forecast;
  private final ProgressFeed feed;
  private final ScheduledExecutorService timer;
  private final WatchJobRequest request;
  private final String jobId;

  // Used in the timer's thread.
  private long eventsTold;
  private Job told;

  private final Subscriptions subscriptions = new Subscriptions();
  private final ProgressDisplay<WatchJobResponse> display;

  // Guarded by this.
  private boolean looking;
  private boolean lookAgain;

  /**
   * @param timer where the watcher is told; must not be blocked
   */
  JobWatch(
      Caller watcher,
      ResponseSink<WatchJobResponse> caller,
      WatchJobRequest request,
      JobStore jobs,
      ResultLog results,
      Forecast forecast,
      ProgressFeed feed,
      ScheduledExecutorService timer) {
    this.caller = caller;
    this.jobs = jobs;
    this.results = results;
    this.forecast = forecast;
    this.feed = feed;
    this.timer = timer;
    this.request = request;
    this.jobId = JobNames.id("name", request.getName());
    this.eventsTold = ResultCursor.place("after_cursor", jobId, request.getAfterCursor());
    this.display =
        new ProgressDisplay<>(
            watcher,
            request.getProgress(),
            request.getPreviewPixels(),
            caller,
            subscriptions,
            timer,
            progress -> WatchJobResponse.newBuilder().setProgress(progress).build(),
            preview -> WatchJobResponse.newBuilder().setPreview(preview).build());
  }

  void start(CompletionStage<JobRecord> found) {
    caller.onEnd(subscriptions::end);
    caller.onReady(this::changed);
    looking = true;
    found
        .thenCompose(job -> jobs.onChanged(jobId, this::changed))
        .thenAccept(subscriptions::keep)
        .thenAccept(done -> display.watch(feed, jobId))
        .thenCompose(done -> jobs.get(jobId))
        .whenComplete(this::looked);
  }

  private synchronized void changed() {
    lookAgain = true;
    if (!looking && !subscriptions.ended() && caller.isReady()) {
      look();
    }
  }

  private synchronized void look() {
    looking = true;
    lookAgain = false;
    jobs.get(jobId).whenComplete(this::looked);
  }

  private void looked(JobRecord record, Throwable error) {
    if (error != null) {
      timer.execute(() -> fail(error));
    } else {
      forecast.of(record).whenCompleteAsync((job, e) -> tell(record.terminal(), job, e), timer);
    }
  }

  private void tell(boolean terminal, Job job, Throwable error) {
    if (error != null) {
      fail(error);
      return;
    }
    if (!job.equals(told)) {
      told = job;
      caller.send(WatchJobResponse.newBuilder().setJob(job).build());
    }
    if (request.getPrompts()) {
      tellPrompts(terminal);
    } else {
      rest(terminal);
    }
  }

  private void tellPrompts(boolean terminal) {
    results
        .read(jobId, eventsTold, EVENTS)
        .whenCompleteAsync(
            (records, error) -> {
              if (error != null) {
                fail(error);
                return;
              }
              records.forEach(record -> caller.send(event(record)));
              eventsTold += records.size();
              if (records.size() < EVENTS) {
                rest(terminal);
              } else if (caller.isReady()) {
                tellPrompts(terminal);
              } else {
                waitUntilReady();
              }
            },
            timer);
  }

  private WatchJobResponse event(ResultRecord record) {
    PromptResult result = ResultReader.describe(jobId, record).getResult();
    PromptEvent.Builder event =
        PromptEvent.newBuilder()
            .setOffset(result.getOffset())
            .setCustomId(result.getCustomId())
            .setOutcome(ResultReader.kind(record))
            .setImages(result.getImages().getImagesCount())
            .setAttempt(record.attempt());
    if (result.hasFailure()) {
      event.setFailure(result.getFailure());
    }
    return WatchJobResponse.newBuilder()
        .setPrompt(event)
        .setCursor(ResultCursor.of(jobId, record.cursor()))
        .build();
  }

  private void rest(boolean terminal) {
    if (terminal) {
      subscriptions.end();
      caller.complete();
    } else {
      timer.schedule(this::rested, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private synchronized void rested() {
    looking = false;
    if (lookAgain) {
      changed();
    }
  }

  /** The watcher has not taken all events: the next look goes on with them. */
  private synchronized void waitUntilReady() {
    looking = false;
    changed();
  }

  private void fail(Throwable error) {
    if (subscriptions.end()) {
      caller.fail(error);
    }
  }
}
