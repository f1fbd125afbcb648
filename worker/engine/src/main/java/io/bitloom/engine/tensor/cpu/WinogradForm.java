package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The transforms of Winograd's minimal filtering (Lavin and Gray, arXiv 1509.09308) for tiles of 6
 * inputs along an axis, by the interpolation points 0, ±a, ±b and ∞.
 *
 * <p>a = 3/4 and b = 3/2 keep the rounding error within a factor of two of the direct sum's; the
 * usual 1 and 2 have five times more.
 */
enum WinogradForm {
  /** A 3×3 convolution: F(4×4, 3×3), 36 products for 16 outputs instead of 144. */
  SAME_SIZE(4, new double[][][] {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}),

  /**
   * A 3×3 convolution of a map that was doubled by repeating every cell. Along an axis an output
   * sees two cells only, one of them with the sum of two taps: two filters with 2 taps, F(5×5, 2×2)
   * each, 36 products for 25 outputs instead of 225, and the doubled map is never made.
   */
  DOUBLED(5, new double[][][] {{{1, 1, 0}, {0, 0, 1}}, {{1, 0, 0}, {0, 1, 1}}});

  /** Inputs of a tile along an axis. */
  static final int TILE = 6;

  private static final int TAPS = 3;
  private static final double A = 0.75;
  private static final double B = 1.5;

  private final int outputs;
  private final int phases;
  private final Tensor filter; // (36·phases², 9)

  /**
   * @param outputs of a tile along an axis, for each phase
   * @param phases the taps of each phase's filter as sums of those of the 3×3 one
   */
  WinogradForm(int outputs, double[][][] phases) {
    this.outputs = outputs;
    this.phases = phases.length;
    this.filter = filterTransform(phases);
  }

  /** Outputs of a tile along an axis in each phase; also inputs from one tile to the next. */
  int step() {
    return outputs;
  }

  /** Outputs for every input along an axis. */
  int phases() {
    return phases;
  }

  /** Transforms filters (out, in, 3, 3) into {@code filters} (36·phases², out·in). */
  void filters(Tensor weight, Tensor filters) {
    Tensor taps = weight.reshape(weight.size(0) * weight.size(1), TAPS * TAPS).t();
    torch.matmul_out(filters, filter, taps);
  }

  /**
   * Transforms 6 inputs d along one axis (the paper's Bᵀ) into y. Point p has the coefficients of
   * the product of (x − q) over all other points q.
   */
  void inputs(Tensor[] d, Tensor[] y) {
    Tensor even = Scratch.take("even", d[0].shape());
    Tensor odd = Scratch.take("odd", d[0].shape());
    sum(even, d[4], -A * A, d[2]);
    sum(odd, d[3], -A * A, d[1]);
    sum(y[3], even, B, odd);
    sum(y[4], even, -B, odd);
    sum(y[0], d[2], -A * A, d[0]);
    sum(y[0], even, -B * B, y[0]);
    sum(y[5], d[5], -A * A, d[3]);
    sum(y[5], y[5], -B * B, odd);
    sum(even, d[4], -B * B, d[2]);
    sum(odd, d[3], -B * B, d[1]);
    sum(y[1], even, A, odd);
    sum(y[2], even, -A, odd);
  }

  /**
   * Transforms 6 products m along one axis (the paper's Aᵀ) into {@link #step} outputs y: the k-th
   * is the sum of pᵏ·m over the points p, and the last has that of ∞ besides. The filters' factors
   * |p| leave powers of k − 1.
   */
  void outputs(Tensor[] m, Tensor[] y) {
    long[] shape = m[0].shape();
    Tensor[] even = {Scratch.take("even a", shape), Scratch.take("even b", shape)};
    Tensor[] odd = {Scratch.take("odd a", shape), Scratch.take("odd b", shape)};
    for (int pair = 0; pair < 2; pair++) {
      sum(even[pair], m[2 * pair + 1], 1, m[2 * pair + 2]);
      sum(odd[pair], m[2 * pair + 1], -1, m[2 * pair + 2]);
    }
    for (int k = 0; k < outputs; k++) {
      Tensor[] terms = k % 2 == 0 ? even : odd;
      double a = Math.pow(A, k - 1);
      double b = Math.pow(B, k - 1);
      if (k == 0 || k == outputs - 1) {
        sum(y[k], m[k == 0 ? 0 : TILE - 1], a, terms[0]);
        sum(y[k], y[k], b, terms[1]);
      } else {
        sum(y[k], terms[0], b / a, terms[1]);
        if (k > 1) {
          y[k].mul_(new Scalar(a));
        }
      }
    }
  }

  /** out = x + factor·y. */
  private static void sum(Tensor out, Tensor x, double factor, Tensor y) {
    torch.add_out(out, x, y, new Scalar(factor));
  }

  /** The transform of both axes at once, for each pair of phases. */
  private static Tensor filterTransform(double[][][] phases) {
    int count = phases.length;
    double[] rows = new double[TILE * TILE * count * count * TAPS * TAPS];
    int i = 0;
    for (int y = 0; y < TILE; y++) {
      for (int x = 0; x < TILE; x++) {
        for (double[][] vertical : phases) {
          for (double[][] horizontal : phases) {
            for (int tap = 0; tap < TAPS * TAPS; tap++) {
              rows[i++] = filterAt(y, vertical, tap / TAPS) * filterAt(x, horizontal, tap % TAPS);
            }
          }
        }
      }
    }
    try (Scope scope = Scope.open()) {
      Tensor transform = Tensors.of(rows, i / (TAPS * TAPS), TAPS * TAPS);
      return Scope.own(Tensors.to(transform, DType.F32));
    }
  }

  /**
   * What a tap contributes to a filter's polynomial at a point (the paper's G): its value over Π(p
   * − q), times |p| where p is not 0; at infinity the highest coefficient.
   */
  private static double filterAt(int point, double[][] filter, int tap) {
    double[] points = {0, A, -A, B, -B};
    int highest = filter.length - 1;
    if (point == points.length) {
      return filter[highest][tap];
    }
    double p = points[point];
    double value = 0;
    for (int power = 0; power <= highest; power++) {
      value += filter[power][tap] * Math.pow(p, power);
    }
    for (double q : points) {
      value /= p == q ? 1 : p - q;
    }
    return p == 0 ? value : value * Math.abs(p);
  }
}
