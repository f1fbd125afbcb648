package io.bitloom.common.trace;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** The clock of spans: nanoseconds since 1970. */
public final class TraceClock {

  private TraceClock() {}

  public static long now() {
    Instant now = Instant.now();
    return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
  }

  /** What is added to readings of {@link System#nanoTime} to make readings of this clock. */
  public static long offsetOfNanoTime() {
    return now() - System.nanoTime();
  }
}
