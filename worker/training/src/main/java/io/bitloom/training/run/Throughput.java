package io.bitloom.training.run;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.time.Duration;
import org.bytedeco.pytorch.Tensor;

/**
 * How fast a run is, and how much of what its devices can do that is: of the fastest products that
 * were measured before it, or of its own fastest stretch, where a machine was slower before. So it
 * is never more than all.
 */
final class Throughput {
  /** Products that take some ten milliseconds of a CPU, and some milliseconds of a GPU. */
  private static final int CPU_SIDE = 1024;

  private static final int GPU_SIDE = 8192;
  private static final int TRIES = 5;

  private double peakFlops;
  private long start = System.nanoTime();
  private long steps;
  private long samples;
  private long tokens;
  private double flops;

  /**
   * @param peakFlops floating-point operations a second of matrix products on all devices of the
   *     run together
   */
  Throughput(double peakFlops) {
    this.peakFlops = peakFlops;
  }

  /**
   * Measures matrix products on a device, the fastest of some.
   *
   * @param dtype in which the run computes
   * @return floating-point operations a second
   */
  static double peakFlops(TorchDevice device, DType dtype) {
    double side = device.cuda() ? GPU_SIDE : CPU_SIDE;
    double best = 0;
    for (int i = 0; i <= TRIES; i++) {
      try (Scope scope = Scope.open()) {
        Tensor matrix = Tensors.zeros(dtype, device, (long) side, (long) side);
        long start = System.nanoTime();
        matrix.matmul(matrix).sum().item_double();
        if (i > 0) { // the first starts threads
          best = Math.max(best, 2e9 * side * side * side / (System.nanoTime() - start));
        }
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
    peakFlops = Math.max(peakFlops, flops / seconds);
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
   * @param utilisation the model's floating-point operations over what the devices can do (MFU), 0
   *     to 1
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
