package io.bitloom.worker.generate;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.rewrite.Rewriting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One prompt on its way through the pipeline. It can be withdrawn until the device starts with its
 * first image; from then on it ends with its images or with a failure.
 */
public final class PromptWork {
  private enum State {
    WAITING,
    STARTED,
    WITHDRAWN
  }

  private final Prompt prompt;
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private final CompletableFuture<DrawnPrompt> result = new CompletableFuture<>();

  private final GeneratedImage[] images;
  private volatile DrawnText drawnText;
  private int missing;
  private int batchImages;
  private StageDurations durations = StageDurations.ZERO;

  /** Work on a prompt with every default filled in. */
  PromptWork(Prompt prompt) {
    this.prompt = prompt;
    this.drawnText = PromptText.drawn(prompt);
    this.images = new GeneratedImage[prompt.getNumImages()];
    this.missing = images.length;
  }

  public Prompt prompt() {
    return prompt;
  }

  /** The text that is encoded. */
  String text() {
    return drawnText.getText().isEmpty() ? prompt.getPrompt() : drawnText.getText();
  }

  /** What becomes of the prompt's text; empty if that is drawn as it is. */
  DrawnText drawnText() {
    return drawnText;
  }

  /** A language model was asked to rewrite the text, before the device starts with it. */
  void rewritten(Rewriting rewriting) {
    drawnText = PromptText.drawn(prompt, rewriting);
  }

  /**
   * The images, once all of them are encoded; fails with a {@link BitloomException}. Stays
   * incomplete for ever after a successful {@link #withdraw()}.
   */
  public CompletableFuture<DrawnPrompt> result() {
    return result;
  }

  /** Takes the prompt out of the pipeline. Returns false if the device has started with it. */
  public boolean withdraw() {
    return state.compareAndSet(State.WAITING, State.WITHDRAWN);
  }

  /**
   * Nobody wants the images any more: those that are not drawn yet will not be, and a batch of such
   * prompts alone stops at its next scale.
   */
  public void abandon() {
    if (!withdraw()) {
      failed(new BitloomException(ErrorCode.CANCELLED, "the prompt was given up"));
    }
  }

  /** Whether the prompt's images are to be drawn; from the first true on it counts as started. */
  boolean start() {
    state.compareAndSet(State.WAITING, State.STARTED);
    return state.get() == State.STARTED && !result.isDone();
  }

  /** Whether there is any use in drawing more of its images. */
  boolean isWanted() {
    return !result.isDone();
  }

  /** Some of its images were drawn in a batch of {@code images} images. */
  synchronized void drawn(int images, StageDurations times) {
    batchImages = Math.max(batchImages, images);
    durations = durations.plus(times);
  }

  /** One of its images is encoded. */
  void encoded(GeneratedImage image, Duration time) {
    DrawnPrompt all;
    synchronized (this) {
      images[image.getIndex()] = image;
      durations = durations.plusEncode(time);
      missing--;
      if (missing > 0) {
        return;
      }
      all =
          new DrawnPrompt(
              GeneratedImages.newBuilder().addAllImages(List.of(images)).build(),
              drawnText,
              batchImages,
              durations);
    }
    result.complete(all);
  }

  /** It will get no images. Later failures and images are ignored. */
  void failed(BitloomException failure) {
    result.completeExceptionally(failure);
  }
}
