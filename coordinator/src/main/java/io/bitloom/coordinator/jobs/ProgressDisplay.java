package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.v1.BatchProgress;
import io.bitloom.v1.PromptPreview;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Shows a caller how its prompts are drawn. Only so much of this is kept for a caller that does not
 * read; the rest it misses.
 *
 * @param <R> the caller's messages
 */
final class ProgressDisplay<R> implements ProgressFeed.Watcher {

  private static final int MAX_PREVIEW_PIXELS = 512;

  /** What the transport keeps before it is busy: all previews of a batch after a scale fit in. */
  private static final int BUFFERED_BYTES = 4 << 20;

  private final Caller viewer;
  private final boolean wantsProgress;
  private final int previewPixels;
  private final ResponseSink<R> caller;
  private final Subscriptions subscriptions;
  private final Executor sender;
  private final Function<BatchProgress, R> progressMessage;
  private final Function<PromptPreview, R> previewMessage;

  /**
   * @param viewer who is told the names of workers only if that is for it to know
   * @param previewPixels as the caller asked for them; 0: no previews
   * @param subscriptions of the call; once they have ended nothing is shown
   * @param sender where all messages of the call are sent
   * @throws BitloomException {@code INVALID_FIELD} for too large previews
   * @throws IllegalStateException if the call's method has returned already
   */
  ProgressDisplay(
      Caller viewer,
      boolean wantsProgress,
      int previewPixels,
      ResponseSink<R> caller,
      Subscriptions subscriptions,
      Executor sender,
      Function<BatchProgress, R> progressMessage,
      Function<PromptPreview, R> previewMessage) {
    if (previewPixels < 0 || previewPixels > MAX_PREVIEW_PIXELS) {
      throw BitloomException.invalid(
          "preview_pixels", previewPixels, "must be 0 to " + MAX_PREVIEW_PIXELS);
    }
    if (previewPixels > 0) {
      caller.readyBelow(BUFFERED_BYTES);
    }
    this.viewer = viewer;
    this.wantsProgress = wantsProgress;
    this.previewPixels = previewPixels;
    this.caller = caller;
    this.subscriptions = subscriptions;
    this.sender = sender;
    this.progressMessage = progressMessage;
    this.previewMessage = previewMessage;
  }

  /** Begins, if the caller wants to see anything. */
  void watch(ProgressFeed feed, String jobId) {
    if (wantsProgress || previewPixels > 0) {
      subscriptions.keep(feed.watch(jobId, this));
    }
  }

  @Override
  public int previewPixels() {
    return previewPixels;
  }

  @Override
  public void progress(BatchProgress progress) {
    if (wantsProgress) {
      show(
          progressMessage.apply(
              viewer.seesWorkers() ? progress : progress.toBuilder().clearWorker().build()));
    }
  }

  @Override
  public void preview(PromptPreview preview) {
    show(previewMessage.apply(preview));
  }

  private void show(R message) {
    sender.execute(
        () -> {
          if (!subscriptions.ended() && caller.isReady()) {
            caller.send(message);
          }
        });
  }
}
