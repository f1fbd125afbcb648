package io.bitloom.loadtests.autoscale;

import java.util.Random;
import java.util.function.DoubleUnaryOperator;

/**
 * What comes in during a day: GPU-seconds of prompts, by steps of {@link #STEP_SECONDS}.
 *
 * @param work of each step
 */
record Day(String name, double[] work) {

  static final int STEP_SECONDS = 5;
  static final int STEPS = 24 * 3600 / STEP_SECONDS;

  /** How work comes in. */
  enum Pattern {
    /** A job a minute, of twenty workers' work on average. */
    STEADY("steady"),
    /** Likewise, by day up to forty workers' work and by night none. */
    DAY_CURVE("day curve"),
    /** Twenty jobs of very different size, at any time. */
    BURSTS("bursts"),
    /** A million prompts of 0.07 s each, at once. */
    MILLION("a million at once"),
    /** Small jobs all day, which are most of one worker's work, and three large ones. */
    TRICKLE("trickle with spikes");

    private final String label;

    Pattern(String label) {
      this.label = label;
    }

    /** A day of this pattern; the same for the same seed. */
    Day day(long seed) {
      double[] work = new double[STEPS];
      Random random = new Random(seed * 31 + ordinal());
      switch (this) {
        case STEADY -> jobs(work, random, time -> 20);
        case DAY_CURVE -> jobs(work, random, Pattern::daylight);
        case BURSTS -> {
          for (int i = 0; i < 20; i++) {
            work[random.nextInt(STEPS)] += 20_000 * Math.exp(random.nextGaussian());
          }
        }
        case MILLION -> work[STEPS / 4] = 1_000_000 * 0.07;
        case TRICKLE -> {
          jobs(work, random, time -> 0.8);
          for (int spike = 0; spike < 3; spike++) {
            work[STEPS / 3 * spike + random.nextInt(STEPS / 4)] += 50_000;
          }
        }
      }
      return new Day(label, work);
    }

    /** Workers' work by the time of the day in days. */
    private static double daylight(double time) {
      return 40 * Math.max(0, -Math.cos(2 * Math.PI * time));
    }

    /** Jobs at random, one a minute, whose sizes make up a load on average. */
    private static void jobs(double[] work, Random random, DoubleUnaryOperator load) {
      for (int step = 0; step < STEPS; step++) {
        if (random.nextDouble() < STEP_SECONDS / 60.0) {
          double size = -Math.log(1 - random.nextDouble()) * 60;
          work[step] += size * load.applyAsDouble(step / (double) STEPS);
        }
      }
    }
  }
}
