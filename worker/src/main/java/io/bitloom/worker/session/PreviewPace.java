package io.bitloom.worker.session;

import java.util.function.LongSupplier;

/** Keeps previews to a tenth of the device's time. Used on the device thread alone. */
final class PreviewPace {
  private static final int REST = 9;

  private final LongSupplier nanoTime;
  private long next;

  /**
   * @param nanoTime a clock like {@link System#nanoTime()}
   */
  PreviewPace(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.next = nanoTime.getAsLong();
  }

  /** Makes previews, unless the last ones are too recent for what they cost. */
  void run(Runnable previews) {
    long start = nanoTime.getAsLong();
    if (start - next < 0) {
      return;
    }
    try {
      previews.run();
    } finally {
      long end = nanoTime.getAsLong();
      next = end + REST * (end - start);
    }
  }
}
