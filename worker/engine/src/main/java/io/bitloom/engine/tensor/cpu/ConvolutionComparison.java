package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/**
 * Error and time of every algorithm for a convolution of random values, with channels last. Errors
 * are relative to the root mean square of the output.
 *
 * @param algorithm name of the algorithm
 * @param largest largest error against float64
 * @param mean mean error against float64
 * @param milliseconds fastest time of a few runs
 */
public record ConvolutionComparison(
    String algorithm, double largest, double mean, double milliseconds) {
  /** As many as float64 computes within a second or two; errors do not depend on the rows. */
  private static final long ROWS_OF_ERRORS = 32;

  private static final int RUNS = 3;

  /**
   * Compares the algorithms for a 3×3 convolution with padding 1; the first is the plain direct sum
   * with channels first, as in training.
   *
   * @param doubled whether the map is doubled first
   * @param dtype what is computed in: F32 or BF16
   * @param side height and width of the map before it is doubled
   */
  public static List<ConvolutionComparison> of(
      boolean doubled, DType dtype, long in, long out, long side) {
    ConvolutionShape shape = new ConvolutionShape(doubled, dtype, in, out, side, side);
    List<ConvolutionComparison> compared = new ArrayList<>();
    try (InferenceMode inference = new InferenceMode(true);
        Scope scope = Scope.open()) {
      Input part = Input.random(dtype, in, out, Math.min(side, ROWS_OF_ERRORS), side);
      Input whole = Input.random(dtype, in, out, side, side);
      Tensor exact = part.to(DType.F64).plain(doubled);
      compared.add(compare("plain", exact, () -> part.plain(doubled), () -> whole.plain(doubled)));
      for (ConvolutionAlgorithm algorithm : ConvolutionAlgorithm.values()) {
        if (algorithm.takes(shape)) {
          compared.add(
              compare(
                  algorithm.name(),
                  exact,
                  () -> part.by(algorithm, doubled),
                  () -> whole.by(algorithm, doubled)));
        }
      }
    }
    return compared;
  }

  /** What is convolved, (1, in, H, W) with channels last, and by what. */
  private record Input(Tensor x, Tensor weight, Tensor bias) {
    static Input random(DType dtype, long in, long out, long height, long width) {
      Tensor x = Tensors.plus(ConvolutionTuning.random(dtype, 1, in, height, width), -0.5);
      Tensor weight = Tensors.plus(ConvolutionTuning.random(dtype, out, in, 3, 3), -0.5);
      return new Input(
          Tensors.channelsLast(x),
          Tensors.times(weight, 2 / Math.sqrt(in)),
          ConvolutionTuning.random(dtype, out));
    }

    Input to(DType dtype) {
      return new Input(Tensors.to(x, dtype), Tensors.to(weight, dtype), Tensors.to(bias, dtype));
    }

    Tensor plain(boolean doubled) {
      Tensor first = x.contiguous();
      return CpuKernels.plainConv2d(doubled ? Resize.doubled(first) : first, weight, bias, 1, 1);
    }

    Tensor by(ConvolutionAlgorithm algorithm, boolean doubled) {
      return algorithm.apply(doubled, x, weight, bias);
    }
  }

  private interface Computation {
    Tensor compute();
  }

  private static ConvolutionComparison compare(
      String name, Tensor exact, Computation part, Computation whole) {
    try (Scope scope = Scope.open()) {
      Tensor error = Tensors.to(part.compute(), DType.F64).sub(exact).abs();
      double scale = Math.sqrt(exact.mul(exact).mean().item().toDouble());
      return new ConvolutionComparison(
          name,
          error.max().item().toDouble() / scale,
          error.mean().item().toDouble() / scale,
          milliseconds(whole));
    }
  }

  private static double milliseconds(Computation computation) {
    double fastest = Double.MAX_VALUE;
    for (int run = 0; run < RUNS; run++) {
      try (Scope scope = Scope.open()) {
        long start = System.nanoTime();
        computation.compute();
        fastest = Math.min(fastest, (System.nanoTime() - start) / 1e6);
      }
    }
    return fastest;
  }
}
