package io.bitloom.engine;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.ListIterator;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Prompts of one schedule that were submitted together. Those of their images that have not been
 * drawn yet are cut into batches for the device.
 */
public final class Submission {
  private final ScaleSchedule schedule;
  private final List<PromptWork> prompts;
  private final Consumer<DrawnScale> observer;
  private final boolean thrownAway;
  private final CompletableFuture<Void> drawn = new CompletableFuture<>();
  private final Deque<ImageRequest> waiting = new ArrayDeque<>();
  private final Set<PromptWork> suspects = new HashSet<>();

  Submission(ScaleSchedule schedule, List<PromptWork> prompts, Consumer<DrawnScale> observer) {
    this(schedule, prompts, observer, false);
  }

  /** Prompts that are drawn to warm up: nobody is given an image, and none is counted. */
  static Submission thrownAway(ScaleSchedule schedule, List<PromptWork> prompts) {
    return new Submission(schedule, prompts, scale -> {}, true);
  }

  private Submission(
      ScaleSchedule schedule,
      List<PromptWork> prompts,
      Consumer<DrawnScale> observer,
      boolean thrownAway) {
    this.schedule = schedule;
    this.prompts = List.copyOf(prompts);
    this.observer = observer;
    this.thrownAway = thrownAway;
    for (PromptWork work : prompts) {
      for (int index = 0; index < work.prompt().numImages(); index++) {
        waiting.add(new ImageRequest(work, index));
      }
    }
  }

  ScaleSchedule schedule() {
    return schedule;
  }

  /** In the order of submission; each ends on its own. */
  public List<PromptWork> prompts() {
    return prompts;
  }

  Consumer<DrawnScale> observer() {
    return observer;
  }

  boolean isThrownAway() {
    return thrownAway;
  }

  /**
   * Completes when the device is done with all prompts, before the last images are encoded; never
   * fails.
   */
  public CompletableFuture<Void> drawn() {
    return drawn;
  }

  /**
   * The next batch, of images of every kind.
   *
   * @see #next(int, Function)
   */
  List<ImageRequest> next(int max) {
    return next(max, image -> schedule);
  }

  /**
   * The next batch, of at most {@code max} images; empty when nothing is left. Prompts that were
   * withdrawn or have failed are left out, the others count as started. A suspect gets a batch of
   * its own.
   *
   * @param kind images share a batch only where this is equal
   */
  List<ImageRequest> next(int max, Function<ImageRequest, ?> kind) {
    List<ImageRequest> batch = new ArrayList<>();
    while (!waiting.isEmpty() && batch.size() < max) {
      ImageRequest image = waiting.peek();
      boolean shares = batch.isEmpty() || batch.get(0).work() == image.work();
      boolean alone = suspects.contains(image.work()) || startsWithSuspect(batch);
      boolean fits = batch.isEmpty() || kind.apply(batch.get(0)).equals(kind.apply(image));
      if (alone && !shares || !fits) {
        break;
      }
      waiting.remove();
      if (image.work().start()) {
        batch.add(image);
      }
    }
    return batch;
  }

  private boolean startsWithSuspect(List<ImageRequest> batch) {
    return !batch.isEmpty() && suspects.contains(batch.get(0).work());
  }

  /** Puts a batch back to where it was, to be drawn again in smaller ones. */
  void putBack(List<ImageRequest> batch) {
    ListIterator<ImageRequest> images = batch.listIterator(batch.size());
    while (images.hasPrevious()) {
      waiting.addFirst(images.previous());
    }
  }

  /** Puts a batch back that failed, so that each of its prompts is tried alone. */
  void separate(List<ImageRequest> batch) {
    batch.forEach(image -> suspects.add(image.work()));
    putBack(batch);
  }
}
