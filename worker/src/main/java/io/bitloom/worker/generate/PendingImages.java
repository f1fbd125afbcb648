package io.bitloom.worker.generate;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.ListIterator;
import java.util.Set;

/** The images of a lease that have not been drawn yet, cut into batches for the device. */
final class PendingImages {
  private final Deque<ImageRequest> waiting = new ArrayDeque<>();
  private final Set<PromptWork> suspects = new HashSet<>();

  PendingImages(List<PromptWork> prompts) {
    for (PromptWork work : prompts) {
      for (int index = 0; index < work.prompt().getNumImages(); index++) {
        waiting.add(new ImageRequest(work, index));
      }
    }
  }

  /**
   * The next batch, of at most {@code max} images; empty when nothing is left. Prompts that were
   * withdrawn or have failed are left out, the others count as started. A suspect gets a batch of
   * its own.
   */
  List<ImageRequest> next(int max) {
    List<ImageRequest> batch = new ArrayList<>();
    while (!waiting.isEmpty() && batch.size() < max) {
      ImageRequest image = waiting.peek();
      boolean shares = batch.isEmpty() || batch.get(0).work() == image.work();
      boolean alone = suspects.contains(image.work()) || startsWithSuspect(batch);
      if (alone && !shares) {
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
