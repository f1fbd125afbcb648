package io.bitloom.loadtests.queue;

import java.util.Arrays;
import java.util.Locale;

/** Waits that were measured, in the order in which they were. */
final class Latencies {

  private long[] nanos = new long[1024];
  private int count;

  synchronized void add(long value) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = value;
  }

  synchronized int count() {
    return count;
  }

  /** In milliseconds; 0.5 is the median. */
  synchronized double quantile(double q) {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    return count == 0 ? Double.NaN : sorted[(int) Math.min(count - 1, q * count)] / 1e6;
  }

  /** Median and 99th percentile. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.2f / %.2f ms", quantile(0.5), quantile(0.99));
  }
}
