package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.Tensor;

/**
 * 3×3 convolution of a map that was doubled by repeating every cell, without making the doubled
 * map: an output sees only two cells along an axis, so each of the four phases (even and odd rows
 * and columns) is a 2×2 convolution of the map as it was, with sums of the 3×3 taps. 16 products
 * instead of 36, and as exact as the direct sum.
 */
final class PhaseConvolution {
  private static final int PHASES = 2; // along an axis
  private static final int TAPS = 3;

  private PhaseConvolution() {}

  /**
   * x (B, in, H, W), weight (out, in, 3, 3), bias (out) or null to (B, out, 2H, 2W), laid out with
   * channels last.
   */
  static Tensor apply(Tensor x, Tensor weight, Tensor bias) {
    long batch = x.size(0);
    long height = x.size(2);
    long width = x.size(3);
    long out = weight.size(0);
    try (Scope scope = Scope.open()) {
      Tensor shift = bias == null ? null : bias.repeat(PHASES * PHASES); // (4·out)
      Tensor phases = CpuConvolution.direct(x, filters(weight), shift, 1, 1);
      Tensor byPhase = // (B, H + 1, W + 1, phase of rows, phase of columns, out)
          phases.permute(0, 2, 3, 1).view(batch, height + 1, width + 1, PHASES, PHASES, out);
      Tensor result =
          Tensors.empty(
              Tensors.dtype(x), TorchDevice.CPU, batch, height, PHASES, width, PHASES, out);
      for (int row = 0; row < PHASES; row++) {
        for (int column = 0; column < PHASES; column++) {
          result
              .select(2, row)
              .select(3, column)
              .copy_(
                  byPhase
                      .select(3, row)
                      .select(3, column)
                      .narrow(1, row, height)
                      .narrow(2, column, width));
        }
      }
      Tensor doubled = result.view(batch, PHASES * height, PHASES * width, out);
      return scope.keep(doubled.permute(0, 3, 1, 2));
    }
  }

  /** Filters (out, in, 3, 3) to (phase of rows, phase of columns, out) of (in, 2, 2). */
  private static Tensor filters(Tensor weight) {
    double[][][] taps = {{{1, 0, 0}, {0, 1, 1}}, {{1, 1, 0}, {0, 0, 1}}}; // even, odd
    double[] sums = new double[PHASES * PHASES * 4 * TAPS * TAPS];
    int i = 0;
    for (double[][] vertical : taps) {
      for (double[][] horizontal : taps) {
        for (double[] rows : vertical) {
          for (double[] columns : horizontal) {
            for (int tap = 0; tap < TAPS * TAPS; tap++) {
              sums[i++] = rows[tap / TAPS] * columns[tap % TAPS];
            }
          }
        }
      }
    }
    long out = weight.size(0);
    long in = weight.size(1);
    Tensor sum = Tensors.to(Tensors.of(sums, PHASES * PHASES, 4, TAPS * TAPS), DType.F32);
    Tensor filters = // (out, in, 9) × (4, 4, 9)ᵀ, in float32: (phase, out, in, 4)
        Tensors.to(weight, DType.F32).reshape(1, out * in, TAPS * TAPS).matmul(sum.transpose(1, 2));
    return Tensors.to(filters.view(PHASES * PHASES * out, in, 2, 2), Tensors.dtype(weight));
  }
}
