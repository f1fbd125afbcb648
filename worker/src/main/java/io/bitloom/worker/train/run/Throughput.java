package io.bitloom.worker.train.run;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import java.time.Duration;
import org.bytedeco.pytorch.Tensor;

/** How fast a run is, and how much of what the device can do that is. */
final class Throughput {
  private static final int SIDE = 1024;
  private static final int TRIES = 3;

  private final double peakFlops;
  private long start = System.nanoTime();
  private long steps;
  private long samples;
  private long tokens;
  private double flops;

  /**
   * @param peakFlops floating-point operations a second of a matrix product on the device
   */
  Throughput(double peakFlops) {
    this.peakFlops = peakFlops;
  }

  /** Measures matrix products of float32 on a device; the fastest of three. */
  static double peakFlops(TorchDevice device) {
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
      try (Scope scope = Scope.open()) {
        Tensor matrix = Tensors.zeros(DType.F32, device, SIDE, SIDE);
        long start = System.nanoTime();
        matrix.matmul(matrix).sum().item_double();
        best = Math.max(best, 2e9 * SIDE * SIDE * SIDE / (System.nanoTime() - start));
      }
    }
    return best;
  }

  void add(StepReport report) {
    steps++;
    samples += report.samples();
    tokens += report.tokens();
    flops += report.flops();
  }

  /** What was done since the last call. */
  Rates rates(long stepsLeft) {
    double seconds = Math.max(1e-9, (System.nanoTime() - start) / 1e9);
    Rates rates =
        new Rates(
            samples / seconds,
            tokens / seconds,
            flops / seconds / peakFlops,
            steps / seconds,
            Duration.ofMillis(Math.round(1000 * seconds / Math.max(1, steps) * stepsLeft)));
    start = System.nanoTime();
    steps = 0;
    samples = 0;
    tokens = 0;
    flops = 0;
    return rates;
  }

  /**
   * Rates of a stretch of the run.
   *
   * @param samplesPerSecond pictures
   * @param tokensPerSecond image tokens
   * @param utilisation the model's floating-point operations over what the device can do (MFU)
   * @param stepsPerSecond steps
   * @param left time until the end of the run at this rate
   */
  record Rates(
      double samplesPerSecond,
      double tokensPerSecond,
      double utilisation,
      double stepsPerSecond,
      Duration left) {}
}
