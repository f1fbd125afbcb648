package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.GrpcErrors;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.ProgressFeed;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.BatchProgress;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptEvent;
import io.bitloom.v1.PromptPreview;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * One WatchJob call. Changes that come faster than {@link #INTERVAL}, or faster than the watcher
 * reads, are told as one; of the prompts' events none is left out. All messages are sent from the
 * timer's thread.
 */
final class JobWatch implements ProgressFeed.Watcher {

  private static final Duration INTERVAL = Duration.ofMillis(250);
  private static final int EVENTS = 64;
  private static final int MAX_PREVIEW_PIXELS = 512;

  private final ServerCallStreamObserver<WatchJobResponse> caller;
  private final JobQueue queue;
  private final Outlook outlook;
  private final ProgressFeed feed;
  private final ScheduledExecutorService timer;
  private final WatchJobRequest request;
  private final String jobId;
  private final CompletionStage<JobRecord> found;

  // Used in the timer's thread.
  private long eventsTold;
  private Job told;

  // Guarded by this.
  private final List<Subscription> subscriptions = new ArrayList<>();
  private boolean looking;
  private boolean lookAgain;
  private boolean ended;

  /**
   * @param timer where the watcher is told; must not be blocked
   */
  JobWatch(
      ServerCallStreamObserver<WatchJobResponse> caller,
      JobQueue queue,
      JobAccess access,
      Outlook outlook,
      ProgressFeed feed,
      ScheduledExecutorService timer,
      WatchJobRequest request) {
    this.caller = caller;
    this.queue = queue;
    this.outlook = outlook;
    this.feed = feed;
    this.timer = timer;
    this.request = request;
    this.jobId = JobNames.id("name", request.getName());
    this.eventsTold = ResultCursor.place("after_cursor", jobId, request.getAfterCursor());
    checkPreviewPixels(request.getPreviewPixels());
    this.found = access.find(Caller.current(), request.getName());
  }

  static void checkPreviewPixels(int pixels) {
    if (pixels < 0 || pixels > MAX_PREVIEW_PIXELS) {
      throw BitloomException.invalid(
          "preview_pixels", pixels, "must be 0 to " + MAX_PREVIEW_PIXELS);
    }
  }

  /** Must be called within the RPC's method, because handlers cannot be set later. */
  void start() {
    caller.setOnCancelHandler(this::end);
    caller.setOnReadyHandler(this::changed);
    looking = true;
    found
        .thenCompose(job -> queue.onJobChanged(jobId, this::changed))
        .thenAccept(this::keep)
        .thenAccept(
            done -> {
              if (request.getProgress() || request.getPreviewPixels() > 0) {
                keep(feed.watch(jobId, this));
              }
            })
        .thenCompose(done -> queue.get(jobId))
        .whenComplete(this::looked);
  }

  private synchronized void keep(Subscription subscription) {
    if (ended) {
      subscription.close();
    } else {
      subscriptions.add(subscription);
    }
  }

  private synchronized void changed() {
    lookAgain = true;
    if (!looking && !ended && caller.isReady()) {
      look();
    }
  }

  private synchronized void look() {
    looking = true;
    lookAgain = false;
    queue.get(jobId).whenComplete(this::looked);
  }

  private void looked(JobRecord record, Throwable error) {
    if (error != null) {
      timer.execute(() -> fail(error));
    } else {
      outlook.of(record).whenCompleteAsync((job, e) -> tell(record.terminal(), job, e), timer);
    }
  }

  private void tell(boolean terminal, Job job, Throwable error) {
    if (error != null) {
      fail(error);
      return;
    }
    if (!job.equals(told)) {
      told = job;
      caller.onNext(WatchJobResponse.newBuilder().setJob(job).build());
    }
    if (request.getPrompts()) {
      tellPrompts(terminal);
    } else {
      rest(terminal);
    }
  }

  private void tellPrompts(boolean terminal) {
    queue
        .results(jobId, eventsTold, EVENTS)
        .whenCompleteAsync(
            (records, error) -> {
              if (error != null) {
                fail(error);
                return;
              }
              records.forEach(record -> caller.onNext(event(record)));
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
      end();
      caller.onCompleted();
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

  @Override
  public int previewPixels() {
    return request.getPreviewPixels();
  }

  @Override
  public void progress(BatchProgress progress) {
    if (request.getProgress()) {
      show(WatchJobResponse.newBuilder().setProgress(progress).build());
    }
  }

  @Override
  public void preview(PromptPreview preview) {
    show(WatchJobResponse.newBuilder().setPreview(preview).build());
  }

  /** A watcher that does not read misses what is only to be shown. */
  private void show(WatchJobResponse shown) {
    timer.execute(
        () -> {
          if (!hasEnded() && caller.isReady()) {
            caller.onNext(shown);
          }
        });
  }

  private void fail(Throwable error) {
    if (!hasEnded()) {
      end();
      caller.onError(GrpcErrors.unwrap(error));
    }
  }

  private synchronized boolean hasEnded() {
    return ended;
  }

  private synchronized void end() {
    ended = true;
    subscriptions.forEach(Subscription::close);
    subscriptions.clear();
  }
}
