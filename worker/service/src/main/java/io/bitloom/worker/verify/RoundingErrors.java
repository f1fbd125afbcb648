package io.bitloom.worker.verify;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;

/**
 * How far computed values are from the same computation in float64.
 *
 * @param largest max |a − b|
 * @param mean mean of |a − b|
 */
record RoundingErrors(double largest, double mean) {

  /** The errors of values against reference values of the same shape. */
  static RoundingErrors of(Tensor computed, Tensor reference) {
    try (Scope scope = Scope.open()) {
      Tensor wide = Tensors.to(reference, DType.F64);
      return magnitudes(Tensors.to(computed, DType.F64).sub(wide).abs());
    }
  }

  /** The largest and the mean magnitude of values. */
  static RoundingErrors magnitudes(Tensor values) {
    try (Scope scope = Scope.open()) {
      Tensor magnitudes = Tensors.to(values, DType.F64).abs();
      return new RoundingErrors(
          magnitudes.max().item().toDouble(), magnitudes.mean().item().toDouble());
    }
  }

  /** Both multiplied. */
  RoundingErrors times(double factor) {
    return new RoundingErrors(largest * factor, mean * factor);
  }

  /** The greater of each. */
  RoundingErrors orAtLeast(RoundingErrors other) {
    return new RoundingErrors(Math.max(largest, other.largest), Math.max(mean, other.mean));
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "largest %.2g, mean %.2g", largest, mean);
  }
}
