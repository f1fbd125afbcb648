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
 * is never more than all. All processes do the same, so a device does its share of the steps.
 */
final class Throughput {
  /** Products that take some ten milliseconds of a CPU, and some milliseconds of a GPU. */
  private static final int CPU_SIDE = 1024;

  private static final int GPU_SIDE = 8192;

  /** Products that a GPU is given at a time, so that giving them takes none of its time. */
  private static final int GPU_QUEUE = 10;

  private static final int TRIES = 5;

  private final int devices;
  private double peakFlops; // of one of them
  private long start = System.nanoTime();
  private long steps;
  private long samples;
  private long tokens;
  private double flops;
  private double recomputedFlops;

  /**
   * @param devices of the run, one for each process
   * @param peakFlops floating-point operations a second of matrix products on one of them
   */
  Throughput(int devices, double peakFlops) {
    this.devices = devices;
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
    int products = device.cuda() ? GPU_QUEUE : 1;
    double best = 0;
    try (Scope scope = Scope.open()) {
      Tensor matrix = matrix(dtype, device, (long) side);
      for (int i = 0; i <= TRIES; i++) {
        try (Scope made = Scope.open()) {
          device.synchronize();
          long start = System.nanoTime();
          for (int j = 0; j < products; j++) {
            matrix.matmul(matrix);
          }
          device.synchronize();
          if (i > 0) { // the first starts threads, or sets a GPU's libraries up
            double operations = 2 * side * side * side * products;
            best = Math.max(best, 1e9 * operations / (System.nanoTime() - start));
          }
        }
      }
    }
    return best;
  }

  /** Numbers in [-1, 1] of many bits: a GPU is faster with zeros, which take less power. */
  private static Tensor matrix(DType dtype, TorchDevice device, long side) {
    float[] row = new float[(int) side];
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) Math.sin(i);
    }
    Tensor angles = Tensors.to(Tensors.of(row, side, 1), device, DType.F32); // (side, 1)
    return Tensors.to(angles.matmul(angles.t()), dtype); // (side, side)
  }

  void add(StepReport report) {
    steps++;
    samples += report.samples();
    tokens += report.tokens();
    flops += report.flops();
    recomputedFlops += report.recomputedFlops();
  }

  /** What was done since the last call. */
  Rates rates(long stepsLeft) {
    double seconds = Math.max(1e-9, (System.nanoTime() - start) / 1e9);
    double modelRate = flops / devices / seconds;
    double hardwareRate = (flops + recomputedFlops) / devices / seconds;
    peakFlops = Math.max(peakFlops, hardwareRate);
    Rates rates =
        new Rates(
            samples / seconds,
            tokens / seconds,
            modelRate / peakFlops,
            hardwareRate / peakFlops,
            steps / seconds,
            Duration.ofMillis(Math.round(1000 * seconds / Math.max(1, steps) * stepsLeft)));
    start = System.nanoTime();
    steps = 0;
    samples = 0;
    tokens = 0;
    flops = 0;
    recomputedFlops = 0;
    return rates;
  }

  /**
   * Rates of a stretch of the run.
   *
   * @param samplesPerSecond pictures
   * @param tokensPerSecond image tokens
   * @param utilisation the model's floating-point operations on a device over what it can do (MFU),
   *     0 to 1
   * @param hardwareUtilisation the same with what is computed a second time (HFU)
   * @param stepsPerSecond steps
   * @param left time until the end of the run at this rate
   */
  record Rates(
      double samplesPerSecond,
      double tokensPerSecond,
      double utilisation,
      double hardwareUtilisation,
      double stepsPerSecond,
      Duration left) {}
}
