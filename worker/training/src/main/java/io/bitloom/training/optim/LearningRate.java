package io.bitloom.training.optim;

import java.util.Locale;

/**
 * The learning rate over a run: a linear warm-up to the peak, then down to a fraction of it.
 *
 * @param peak highest rate
 * @param shape how it goes down
 * @param warmup steps until the peak; 0 starts there
 * @param start fraction of the peak at the first warm-up step
 * @param end fraction of the peak at the last step
 */
public record LearningRate(double peak, Shape shape, long warmup, double start, double end) {

  /** How the rate goes down after the warm-up. */
  public enum Shape {
    /** Stays at the peak. */
    CONSTANT,
    /** The peak for the first twentieth, then a straight line (the reference's {@code lin0}). */
    LINEAR,
    /** Half a cosine. */
    COSINE;

    /** The name in configuration files. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final double FLAT = 0.05;

  /**
   * @throws IllegalArgumentException naming the value that is out of range
   */
  public LearningRate {
    require(peak > 0 && Double.isFinite(peak), "peak", peak, "positive");
    require(warmup >= 0, "warmup", warmup, "at least 0");
    require(start >= 0 && start <= 1, "start", start, "0 to 1");
    require(end >= 0 && end <= 1, "end", end, "0 to 1");
  }

  /** The rate of a step (from 0) of a run of {@code total} steps. */
  public double at(long step, long total) {
    if (step < warmup) {
      return peak * (start + (1 - start) * step / warmup);
    }
    double passed = Math.min(1, (step - warmup) / (double) Math.max(1, total - 1 - warmup));
    return peak
        * switch (shape) {
          case CONSTANT -> 1;
          case LINEAR -> passed < FLAT ? 1 : end + (1 - end) * (1 - passed) / (1 - FLAT);
          case COSINE -> end + (1 - end) * (0.5 + 0.5 * Math.cos(Math.PI * passed));
        };
  }

  private static void require(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(name + ": expected " + expected + ", got " + value);
    }
  }
}
