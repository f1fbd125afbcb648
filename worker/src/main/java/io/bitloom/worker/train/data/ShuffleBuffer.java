package io.bitloom.worker.train.data;

import java.util.SplittableRandom;

/**
 * The numbers 0 to n − 1 in a random order that never looks further ahead than its buffer: the next
 * one is drawn from the buffer and replaced by the next in line.
 */
final class ShuffleBuffer {
  private final int count;
  private final SplittableRandom random;
  private final int[] buffer;
  private int filled;
  private int read;

  ShuffleBuffer(int count, int size, SplittableRandom random) {
    this.count = count;
    this.random = random;
    this.buffer = new int[Math.min(count, Math.max(1, size))];
    while (filled < buffer.length) {
      buffer[filled++] = read++;
    }
  }

  /** The next numbers; fewer at the end. */
  int[] next(int wanted) {
    int[] drawn = new int[Math.min(wanted, filled + count - read)];
    for (int i = 0; i < drawn.length; i++) {
      int at = random.nextInt(filled);
      drawn[i] = buffer[at];
      buffer[at] = read < count ? read++ : buffer[--filled];
    }
    return drawn;
  }
}
