package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptEvent;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * One WatchJob call. Changes that come faster than the job is read, or than the watcher reads, are
 * told as one; of the prompts' events none is left out. All is done in the timer's thread.
 */
final class JobWatch implements WatchedJob.Watcher {

  private final ResponseSink<WatchJobResponse> caller;
  private final JobWatches watches;
  private final ProgressFeed feed;
  private final Executor timer;
  private final WatchJobRequest request;
  private final String jobId;
  private final Subscriptions subscriptions = new Subscriptions();
  private final ProgressDisplay<WatchJobResponse> display;

  // Used in the timer's thread.
  private WatchedJob job;
  private WatchedJob.Seen latest;
  private Job told;
  private Cursor eventsTold;
  private boolean reading;

  /**
   * @param timer where the watcher is told; must not be blocked
   */
  JobWatch(
      Caller watcher,
      ResponseSink<WatchJobResponse> caller,
      WatchJobRequest request,
      JobWatches watches,
      ProgressFeed feed,
      Executor timer) {
    this.caller = caller;
    this.watches = watches;
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
    caller.onReady(() -> timer.execute(this::goOn));
    found.whenCompleteAsync(
        (record, e) -> {
          if (e != null) {
            failed(e);
          } else {
            display.watch(feed, jobId);
            job = watches.join(jobId, this, subscriptions);
          }
        },
        timer);
  }

  @Override
  public void seen(WatchedJob.Seen seen) {
    latest = seen;
    goOn();
  }

  /** Tells what there is to tell, as far as the watcher takes it. */
  private void goOn() {
    if (latest == null || reading || subscriptions.ended() || !caller.isReady()) {
      return;
    }
    if (!latest.job().equals(told)) {
      told = latest.job();
      caller.send(WatchJobResponse.newBuilder().setJob(told).build());
    }
    if (request.getPrompts()) {
      readPrompts(latest);
    } else {
      toldAllOf(latest);
    }
  }

  private void readPrompts(WatchedJob.Seen seen) {
    reading = true;
    job.page(eventsTold)
        .whenCompleteAsync(
            (page, e) -> {
              reading = false;
              if (e != null) {
                failed(e);
              } else if (!subscriptions.ended()) {
                tellPrompts(page, seen);
              }
            },
            timer);
  }

  private void tellPrompts(List<ResultRecord> page, WatchedJob.Seen seen) {
    for (ResultRecord record : page) {
      caller.send(event(record));
      eventsTold = record.cursor();
    }
    if (page.size() == WatchedJob.PAGE) {
      goOn();
    } else if (seen == latest) {
      toldAllOf(seen);
    } else {
      goOn();
    }
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

  private void toldAllOf(WatchedJob.Seen seen) {
    if (seen.terminal() && subscriptions.end()) {
      caller.complete();
    }
  }

  @Override
  public void failed(Throwable error) {
    if (subscriptions.end()) {
      caller.fail(error);
    }
  }
}
