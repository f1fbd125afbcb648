package io.bitloom.loadtests.engine;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;

/**
 * Times of repeated runs of one thing, with the machine's rate around each.
 *
 * @param median seconds
 * @param fastest seconds
 * @param rate median of the matrix product's rate beside the runs, operations per second
 * @param work median of seconds times the rate of the same moment, in operations
 */
record Timing(double median, double fastest, double rate, double work) {

  /** Runs once to warm up, then some times with a matrix product before and after every run. */
  static Timing of(int runs, MatmulRate matmul, TorchDevice device, Runnable run) {
    seconds(device, run);
    matmul.measure();
    double[] seconds = new double[runs];
    double[] rates = new double[runs];
    double[] work = new double[runs];
    double before = matmul.measure();
    for (int i = 0; i < runs; i++) {
      seconds[i] = seconds(device, run);
      double after = matmul.measure();
      rates[i] = (before + after) / 2;
      work[i] = seconds[i] * rates[i];
      before = after;
    }
    double fastest = Arrays.stream(seconds).min().orElseThrow();
    return new Timing(median(seconds), fastest, median(rates), median(work));
  }

  /** Seconds that the same would take where the matrix product has another rate. */
  double secondsAt(double rate) {
    return work / rate;
  }

  private static double seconds(TorchDevice device, Runnable run) {
    try (Scope scope = Scope.open()) {
      long start = System.nanoTime();
      run.run();
      device.synchronize();
      return (System.nanoTime() - start) / 1e9;
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
