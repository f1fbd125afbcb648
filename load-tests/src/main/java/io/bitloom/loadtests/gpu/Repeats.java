package io.bitloom.loadtests.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Repeated runs of one thing: each gives some figures, for example seconds of its stages.
 *
 * @param runs figures of every run but the first, which warms up
 */
record Repeats(List<double[]> runs) {

  /** How often something is repeated: at most so many times, and no longer than this. */
  record Limit(int runs, double seconds) {}

  /** The median of a figure, and between which values it was. */
  record Spread(double median, double least, double most) {}

  /** Runs once to warm up and then until the limit, at least once. */
  static Repeats of(Limit limit, Supplier<double[]> run) {
    run.get();
    List<double[]> runs = new ArrayList<>();
    long start = System.nanoTime();
    do {
      runs.add(run.get());
    } while (runs.size() < limit.runs() && (System.nanoTime() - start) / 1e9 < limit.seconds());
    return new Repeats(runs);
  }

  /** One of the figures, over all runs. */
  Spread of(int figure) {
    double[] sorted = runs.stream().mapToDouble(run -> run[figure]).sorted().toArray();
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(median, sorted[0], sorted[sorted.length - 1]);
  }
}
