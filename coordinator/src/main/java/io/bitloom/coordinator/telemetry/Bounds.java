package io.bitloom.coordinator.telemetry;

import java.time.Duration;
import java.util.stream.LongStream;

/**
 * The bounds of histograms. Few, for each is a series of every label set, and where somebody
 * decides by them: whether a caller still waits, an alert fires, or a job is done overnight.
 */
final class Bounds {

  /** A call to Redis or a task that waits: from usual to the timeout of a call, 2 s. */
  static final Duration[] CALL = millis(1, 2, 5, 10, 25, 100, 500, 2_000);

  /** An image that is stored: from a local disk to an S3 that is nearly away. */
  static final Duration[] STORE = millis(1, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000);

  /** A stage of a batch: from encoding a PNG to a large batch on a CPU. */
  static final Duration[] STAGE =
      millis(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000);

  /** Somebody waits for one picture. */
  static final Duration[] CALLER =
      millis(100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000);

  /** What waits in a queue: from a batch that forms to a day. */
  static final Duration[] QUEUE =
      seconds(0.1, 0.5, 1, 5, 15, 60, 300, 900, 1_800, 3_600, 14_400, 86_400);

  /** A whole job: from one prompt to three days. */
  static final Duration[] JOB =
      seconds(1, 10, 60, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400, 259_200);

  private Bounds() {}

  private static Duration[] millis(long... millis) {
    return LongStream.of(millis).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
  }

  private static Duration[] seconds(double... seconds) {
    return java.util.stream.DoubleStream.of(seconds)
        .mapToObj(s -> Duration.ofMillis(Math.round(s * 1000)))
        .toArray(Duration[]::new);
  }
}
