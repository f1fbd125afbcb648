package io.bitloom.engine;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.engine.text.PositivePrompt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One prompt on its way through the engine, and what became of it. It can be withdrawn until the
 * device starts with its first image; from then on it ends with its images or with a failure.
 */
public final class PromptWork {
  private enum State {
    WAITING,
    STARTED,
    WITHDRAWN
  }

  private final ImagePrompt prompt;
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private final CompletableFuture<List<EncodedImage>> result = new CompletableFuture<>();
  private final EncodedImage[] images;
  private volatile Rewriting rewriting; // null if no language model was asked
  private volatile String text;
  private int missing;
  private int batchImages;
  private StageDurations durations = StageDurations.ZERO;
  private final List<BatchTimeline> batches = new ArrayList<>(1);
  private long encodeStart; // of the first image
  private long encodeEnd; // of the last image

  /** Work on a prompt with every default filled in. */
  PromptWork(ImagePrompt prompt) {
    this.prompt = prompt;
    this.text = withPleasantFaces(prompt.text());
    this.images = new EncodedImage[prompt.numImages()];
    this.missing = images.length;
  }

  private String withPleasantFaces(String text) {
    return Boolean.TRUE.equals(prompt.enablePositivePrompt()) ? PositivePrompt.of(text) : text;
  }

  public ImagePrompt prompt() {
    return prompt;
  }

  /** The text that is encoded. */
  String text() {
    return text;
  }

  /** What is drawn, where it is not the prompt's own text or was to be another one; else empty. */
  public Optional<String> drawnText() {
    return rewriting != null || hasPositivePrompt() ? Optional.of(text) : Optional.empty();
  }

  /** Whether words were added to the text: {@link ImagePrompt#enablePositivePrompt}. */
  public boolean hasPositivePrompt() {
    return !text.equals(rewriting == null ? prompt.text() : rewriting.text());
  }

  /** What a language model made of the text; empty if none was asked. */
  public Optional<Rewriting> rewriting() {
    return Optional.ofNullable(rewriting);
  }

  /**
   * A language model was asked to rewrite the text, before the device starts with it; words are
   * added to what it made of it.
   */
  void rewritten(Rewriting rewriting) {
    this.rewriting = rewriting;
    this.text = withPleasantFaces(rewriting.text());
  }

  /**
   * The images in the order of their index, once all of them are encoded; fails with a {@link
   * BitloomException}. Stays incomplete for ever after a successful {@link #withdraw()}.
   */
  public CompletableFuture<List<EncodedImage>> result() {
    return result;
  }

  /**
   * Waits for the images, in the order of their index.
   *
   * @throws BitloomException if there will be none
   */
  public List<EncodedImage> images() {
    try {
      return result.join();
    } catch (CompletionException e) {
      throw (BitloomException) e.getCause();
    }
  }

  /** Takes the prompt out of the engine. Returns false if the device has started with it. */
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

  /** Images that shared its (largest) batch. */
  public synchronized int batchImages() {
    return batchImages;
  }

  /** What its batches spent in each stage. */
  public synchronized StageDurations durations() {
    return durations;
  }

  /** The batches in which its images were drawn, one after the other. */
  public synchronized List<BatchTimeline> batches() {
    return List.copyOf(batches);
  }

  /** When its first image began to be encoded, as {@link System#nanoTime} reads; 0 if none has. */
  public synchronized long encodeStart() {
    return encodeStart;
  }

  /** When its last image was encoded, as {@link System#nanoTime} reads; 0 if none is. */
  public synchronized long encodeEnd() {
    return encodeEnd;
  }

  /** Some of its images were drawn in a batch. */
  synchronized void drawn(BatchTimeline batch) {
    batchImages = Math.max(batchImages, batch.images());
    durations = durations.plus(batch.durations());
    batches.add(batch);
  }

  /** One of its images was encoded between two readings of {@link System#nanoTime}. */
  void encoded(EncodedImage image, long start, long end) {
    synchronized (this) {
      boolean first = missing == images.length;
      encodeStart = first || start - encodeStart < 0 ? start : encodeStart;
      encodeEnd = first || end - encodeEnd > 0 ? end : encodeEnd;
      images[image.index()] = image;
      durations = durations.plusEncode(Duration.ofNanos(end - start));
      missing--;
      if (missing > 0) {
        return;
      }
    }
    result.complete(List.of(images));
  }

  /** It will get no images. Later failures and images are ignored. */
  void failed(BitloomException failure) {
    result.completeExceptionally(failure);
  }
}
