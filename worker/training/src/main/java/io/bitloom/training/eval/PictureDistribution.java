package io.bitloom.training.eval;

import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.training.data.demo.Cells;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A set of pictures as the features that they have, to be compared as a whole with another set: by
 * the Fréchet distance of arXiv 1706.08500 and by precision and recall of arXiv 1904.06991, with
 * features that need no network.
 *
 * <p>The features of a picture are those of 4×4 equal parts of it, whatever its shape: the mean
 * colour of a part in Oklab (L, a, b), and how far its cells of 4×4 pixels are from that colour
 * (the root of the mean squared distance). They see composition, palette and the unrest within a
 * part, not what a thing is.
 */
public final class PictureDistribution {
  private static final int PARTS = 4;
  private static final int OF_PART = 4;
  private static final int NEIGHBOURS = 3;

  /** Numbers that describe a picture; sets should have many more pictures than this. */
  public static final int FEATURES = PARTS * PARTS * OF_PART;

  private final List<double[]> features = new ArrayList<>();

  /** Adds a picture of at least 16×16 pixels. */
  public void add(RgbImage picture) {
    features.add(features(picture));
  }

  /** Pictures that were added. */
  public int size() {
    return features.size();
  }

  static double[] features(RgbImage picture) {
    Cells cells = Cells.of(picture);
    double[] found = new double[FEATURES];
    for (int part = 0; part < PARTS * PARTS; part++) {
      int row = part / PARTS;
      int column = part % PARTS;
      double[] sums = new double[3];
      double squares = 0;
      int count = 0;
      for (int y = edge(row, cells.height()); y < edge(row + 1, cells.height()); y++) {
        for (int x = edge(column, cells.width()); x < edge(column + 1, cells.width()); x++) {
          for (int c = 0; c < 3; c++) {
            double value = cells.lab()[3 * (y * cells.width() + x) + c];
            sums[c] += value;
            squares += value * value;
          }
          count++;
        }
      }
      double spread = squares / count;
      for (int c = 0; c < 3; c++) {
        double mean = sums[c] / count;
        found[OF_PART * part + c] = mean;
        spread -= mean * mean;
      }
      found[OF_PART * part + 3] = Math.sqrt(Math.max(0, spread));
    }
    return found;
  }

  private static int edge(int part, int cells) {
    return part * cells / PARTS;
  }

  /**
   * The squared Fréchet distance d² = ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2(C₁C₂)^½) of the normal
   * distributions with the means m and covariances C of both sets. Small sets make it larger.
   *
   * @throws IllegalStateException if a set has fewer than two pictures
   */
  public double squaredDistance(PictureDistribution other) {
    if (size() < 2 || other.size() < 2) {
      throw new IllegalStateException("a covariance needs at least two pictures");
    }
    try (Scope scope = Scope.open()) {
      Tensor mine = matrix(); // (F, N)
      Tensor others = other.matrix(); // (F, M)
      return squaredDistance(mine.mean(1L), torch.cov(mine), others.mean(1L), torch.cov(others));
    }
  }

  /**
   * The share of this set's pictures that are like one of the other set: no farther from it than
   * its third nearest neighbour within that set is. With the sets exchanged it is the recall.
   *
   * @throws IllegalStateException if the other set has fewer than four pictures
   */
  public double precision(PictureDistribution other) {
    if (other.size() <= NEIGHBOURS) {
      throw new IllegalStateException(
          "a third nearest neighbour needs at least four pictures, not " + other.size());
    }
    double[] radii = other.features.stream().mapToDouble(other::squaredRadius).toArray();
    long alike =
        features.stream()
            .filter(
                mine ->
                    IntStream.range(0, radii.length)
                        .anyMatch(i -> squaredDistance(mine, other.features.get(i)) <= radii[i]))
            .count();
    return (double) alike / size();
  }

  /** To the third nearest neighbour of a picture of this set; the nearest is the picture itself. */
  private double squaredRadius(double[] picture) {
    return features.stream()
        .mapToDouble(other -> squaredDistance(picture, other))
        .sorted()
        .skip(NEIGHBOURS)
        .findFirst()
        .orElseThrow();
  }

  private static double squaredDistance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
  }

  private Tensor matrix() {
    double[] values = features.stream().flatMapToDouble(Arrays::stream).toArray();
    return Tensors.of(values, size(), FEATURES).t(); // (F, N)
  }

  /**
   * {@link #squaredDistance(PictureDistribution)} from means (F) and covariances (F, F) in float64.
   * The trace of (C₁C₂)^½ is the sum of the singular values of C₁^½C₂^½: the roots of the
   * eigenvalues of C₁C₂ would turn the rounding of the smallest into something far larger.
   */
  static double squaredDistance(
      Tensor mean1, Tensor covariance1, Tensor mean2, Tensor covariance2) {
    try (Scope scope = Scope.open()) {
      Tensor product = root(covariance1).matmul(root(covariance2)); // (F, F)
      Tensor trace = torch.linalg_svdvals(product).sum();
      Tensor squared =
          mean1
              .sub(mean2)
              .square()
              .sum()
              .add(covariance1.trace())
              .add(covariance2.trace())
              .sub(Tensors.times(trace, 2));
      return Tensors.doubles(Tensors.to(squared, DType.F64))[0];
    }
  }

  /** The root of a covariance (F, F), whose smallest eigenvalues rounding can make negative. */
  private static Tensor root(Tensor covariance) {
    T_TensorTensor_T eigen = torch.linalg_eigh(covariance);
    Tensor vectors = eigen.get1(); // (F, F), one a column
    Tensor roots = Tensors.clamp(eigen.get0(), 0, Double.POSITIVE_INFINITY).sqrt();
    return vectors.mul(roots.unsqueeze(0)).matmul(vectors.t());
  }
}
