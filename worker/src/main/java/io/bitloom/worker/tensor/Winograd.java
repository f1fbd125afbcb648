package io.bitloom.worker.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * 3×3 convolution by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, arXiv 1509.09308): a
 * tile of 4×4 outputs takes 36 products per pair of channels instead of 144. libtorch has it for no
 * CPU; composed of its matrix products it is about twice as fast as the direct sum.
 *
 * <p>The interpolation points 0, ±3/4, ±3/2 and ∞ keep the rounding error within a factor of two of
 * the direct sum's; the usual 0, ±1, ±2 and ∞ have five times more.
 */
final class Winograd {
  private static final double[] POINTS = {0, 0.75, -0.75, 1.5, -1.5};
  private static final int OUTPUTS = 4;
  private static final int TAPS = 3;
  private static final int TILE = OUTPUTS + TAPS - 1;

  /** As many tiles at a time as keep the transformed tiles in the cache. */
  private static final int TILES_AT_ONCE = 256;

  private static final int FILTERS_AT_ONCE = 32;

  /** Below these the transforms cost more than they save. */
  private static final int LEAST_TILES = 64;

  private static final int LEAST_CHANNELS = 64;

  private static final Tensor INPUT = Scope.own(twoDimensional(inputTransform()));
  private static final Tensor FILTER = Scope.own(twoDimensional(filterTransform()));
  private static final Tensor OUTPUT = Scope.own(twoDimensional(outputTransform()));

  private Winograd() {}

  /** Whether x (B, in, H, W) and weight (out, in, 3, 3) are large enough to gain. */
  static boolean pays(Tensor x, Tensor weight) {
    return weight.size(0) >= LEAST_CHANNELS
        && weight.size(1) >= LEAST_CHANNELS
        && tiles(x.size(2)) * tiles(x.size(3)) >= LEAST_TILES;
  }

  /**
   * Convolution with stride 1 and zero padding 1 in float32. The result is laid out with channels
   * last, which is also the quickest layout for x. Each image is computed on its own, so that it
   * does not depend on the batch.
   *
   * @param bias (out) or null
   */
  static Tensor conv3x3(Tensor xBCHW, Tensor weight, Tensor bias) {
    long batch = xBCHW.size(0);
    long height = xBCHW.size(2);
    long width = xBCHW.size(3);
    long out = weight.size(0);
    long rows = tiles(height);
    long columns = tiles(width);
    try (Scope scope = Scope.open()) {
      long[] border = {0, 0, 1, columns * OUTPUTS - width + 1, 1, rows * OUTPUTS - height + 1};
      Tensor padded = torch.constant_pad_nd(xBCHW.permute(0, 2, 3, 1), border); // (B, …, …, in)
      Tensor result =
          Tensors.empty(DType.F32, TorchDevice.CPU, batch, rows, OUTPUTS, columns, OUTPUTS, out);
      Tensor shift = bias == null ? Tensors.zeros(DType.F32, TorchDevice.CPU, out) : bias;
      Tensor filters = filters(weight); // (36, in, out)
      long rowsAtOnce = Math.max(1, TILES_AT_ONCE / columns);
      int strips = Math.toIntExact((rows + rowsAtOnce - 1) / rowsAtOnce);
      int shares = strips < CpuTeam.size() ? CpuTeam.size() : 1; // of the output channels
      CpuTeam.run(
          Math.toIntExact(batch) * strips * shares,
          piece -> {
            long row = piece / shares % strips * rowsAtOnce;
            long count = Math.min(rowsAtOnce, rows - row);
            long from = piece % shares * out / shares;
            long channels = (piece % shares + 1) * out / shares - from;
            int image = piece / shares / strips;
            Tensor region = padded.get(image).narrow(0, row * OUTPUTS, count * OUTPUTS + TAPS - 1);
            Tensor tiles = outputs(region, filters.narrow(2, from, channels));
            torch.add_out(
                result.get(image).narrow(0, row, count).narrow(4, from, channels),
                tiles.permute(2, 0, 3, 1, 4), // (count, 4, columns, 4, channels)
                shift.narrow(0, from, channels));
          });
      return scope.keep(
          result
              .view(batch, rows * OUTPUTS, columns * OUTPUTS, out)
              .narrow(1, 0, height)
              .narrow(2, 0, width)
              .permute(0, 3, 1, 2)); // (B, out, H, W)
    }
  }

  /** The transformed filters (36, in, out) of a weight (out, in, 3, 3). */
  private static Tensor filters(Tensor weight) {
    long out = weight.size(0);
    long in = weight.size(1);
    Tensor filters = Tensors.empty(DType.F32, TorchDevice.CPU, TILE * TILE, out, in);
    int slices = Math.toIntExact(out / FILTERS_AT_ONCE);
    CpuTeam.run(
        slices,
        slice -> {
          long from = slice * out / slices;
          long count = (slice + 1) * out / slices - from;
          Tensor taps = weight.narrow(0, from, count).reshape(count * in, TAPS * TAPS).t();
          filters.narrow(1, from, count).copy_(FILTER.matmul(taps).view(TILE * TILE, count, in));
        });
    return filters.transpose(1, 2);
  }

  /** A strip of tiles (h, w, in) with its border to its outputs (4, 4, rows, columns, out). */
  private static Tensor outputs(Tensor region, Tensor filters) {
    long in = filters.size(1);
    long out = filters.size(2);
    Tensor tiles = region.unfold(0, TILE, OUTPUTS).unfold(1, TILE, OUTPUTS); // (r, c, in, 6, 6)
    long rows = tiles.size(0);
    long columns = tiles.size(1);
    Tensor flat = tiles.permute(3, 4, 0, 1, 2).reshape(TILE * TILE, rows * columns * in);
    Tensor transformed = INPUT.matmul(flat).view(TILE * TILE, rows * columns, in);
    Tensor products = transformed.bmm(filters); // (36, r·c, out)
    return OUTPUT
        .matmul(products.view(TILE * TILE, rows * columns * out))
        .view(OUTPUTS, OUTPUTS, rows, columns, out);
  }

  private static long tiles(long side) {
    return (side + OUTPUTS - 1) / OUTPUTS;
  }

  /** The transform of both axes of a row-major tile at once. */
  private static Tensor twoDimensional(double[][] oneDimensional) {
    int rows = oneDimensional.length;
    int columns = oneDimensional[0].length;
    double[] flat = new double[rows * columns];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(oneDimensional[row], 0, flat, row * columns, columns);
    }
    try (Scope scope = Scope.open()) {
      Tensor matrix = Tensors.of(flat, rows, columns);
      return scope.keep(Tensors.to(torch.kron(matrix, matrix), DType.F32));
    }
  }

  /**
   * Row j: the coefficients of Π(x − pₖ) over all finite points but the j-th; the last: over all.
   */
  private static double[][] inputTransform() {
    double[][] transform = new double[TILE][TILE];
    for (int point = 0; point < TILE; point++) {
      double[] polynomial = {1};
      for (int root = 0; root < POINTS.length; root++) {
        polynomial = root == point ? polynomial : timesRoot(polynomial, POINTS[root]);
      }
      System.arraycopy(polynomial, 0, transform[point], 0, polynomial.length);
    }
    return transform;
  }

  /** The filter's polynomial at each point over Π(pⱼ − pₖ); at infinity its highest coefficient. */
  private static double[][] filterTransform() {
    double[][] transform = new double[TILE][TAPS];
    for (int point = 0; point < POINTS.length; point++) {
      double denominator = 1;
      for (int other = 0; other < POINTS.length; other++) {
        denominator *= other == point ? 1 : POINTS[point] - POINTS[other];
      }
      for (int power = 0; power < TAPS; power++) {
        transform[point][power] = Math.pow(POINTS[point], power) / denominator;
      }
    }
    transform[TILE - 1][TAPS - 1] = 1;
    return transform;
  }

  /** Column j: the powers of point j; at infinity the highest alone. */
  private static double[][] outputTransform() {
    double[][] transform = new double[OUTPUTS][TILE];
    for (int power = 0; power < OUTPUTS; power++) {
      for (int point = 0; point < POINTS.length; point++) {
        transform[power][point] = Math.pow(POINTS[point], power);
      }
    }
    transform[OUTPUTS - 1][TILE - 1] = 1;
    return transform;
  }

  private static double[] timesRoot(double[] polynomial, double root) {
    double[] product = new double[polynomial.length + 1];
    for (int power = 0; power < polynomial.length; power++) {
      product[power + 1] += polynomial[power];
      product[power] -= root * polynomial[power];
    }
    return product;
  }
}
