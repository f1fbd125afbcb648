package io.bitloom.worker.verify;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** What was found in one case of a file. */
final class CaseReport {
  private final String file;
  private final String name;
  private final List<Measurement> measurements = new ArrayList<>();
  private final List<Agreement> agreements = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();
  private final List<String> notChecked = new ArrayList<>();

  CaseReport(String file, String name) {
    this.file = file;
    this.name = name;
  }

  /** Compares element by element; both must have the same shape. The error is max |a − b|. */
  void close(String quantity, Tensor computed, Tensor expected, double tolerance) {
    if (sameShape(quantity, computed, expected)) {
      try (Scope scope = Scope.open()) {
        Tensor difference =
            Tensors.to(computed, DType.F64).sub(Tensors.to(expected, DType.F64)).abs();
        double error = difference.numel() == 0 ? 0 : difference.max().item().toDouble();
        measure(quantity, error, tolerance);
      }
    }
  }

  /** Compares integers or bits, which must be equal. The error is the number of differences. */
  void equal(String quantity, Tensor computed, Tensor expected) {
    if (sameShape(quantity, computed, expected)) {
      try (Scope scope = Scope.open()) {
        Tensor different = Tensors.to(computed, DType.F64).ne(Tensors.to(expected, DType.F64));
        measure(quantity, different.sum().item().toDouble(), 0);
      }
    }
  }

  /** Compares plain values, which must be equal. */
  void equal(String quantity, Object computed, Object expected) {
    measure(quantity, computed.equals(expected) ? 0 : 1, 0);
    if (!computed.equals(expected)) {
      fault(quantity + ": computed " + computed + ", expected " + expected);
    }
  }

  /**
   * Compares 8-bit pictures, whose conversion truncates: no value may be off by more than {@code
   * step}, and at most a fraction of them may be off at all.
   */
  void picture(String quantity, Tensor computed, Tensor expected, double step, double fraction) {
    picture(quantity, computed, expected, step, fraction, null);
  }

  /**
   * {@link #picture} where the reference computed the expected picture with rounding of its own: if
   * more than the fraction are off, those do not count that are what float64 gives.
   *
   * @param exact makes the picture of a computation in float64, or null if there is none
   */
  void picture(
      String quantity,
      Tensor computed,
      Tensor expected,
      double step,
      double fraction,
      Supplier<Tensor> exact) {
    if (sameShape(quantity, computed, expected)) {
      try (Scope scope = Scope.open()) {
        Tensor difference =
            Tensors.to(computed, DType.F64).sub(Tensors.to(expected, DType.F64)).abs();
        double largest = difference.max().item().toDouble();
        if (largest > step) {
          measure(quantity + " step", largest, step);
        }
        Tensor changed = difference.ne(new Scalar(0));
        double share = share(changed);
        if (share > fraction && exact != null) {
          double wrong = share(changed.logical_and(computed.ne(exact.get())));
          measure(quantity + ", fraction neither stored nor as in float64", wrong, fraction);
        } else {
          measure(quantity + ", fraction changed", share, fraction);
        }
      }
    }
  }

  private static double share(Tensor flags) {
    return flags.count_nonzero().item().toDouble() / flags.numel();
  }

  /** Counts the values that agree; however few they are, the case holds. */
  void agreement(String quantity, Tensor computed, Tensor expected) {
    if (sameShape(quantity, computed, expected)) {
      try (Scope scope = Scope.open()) {
        Tensor equal = Tensors.to(computed, DType.F64).eq(Tensors.to(expected, DType.F64));
        agreements.add(new Agreement(quantity, equal.sum().item().toLong(), equal.numel()));
      }
    }
  }

  /** Records an error that the check measured itself. */
  void measure(String quantity, double error, double tolerance) {
    measurements.add(new Measurement(quantity, error, tolerance));
  }

  /** Records that something is wrong beyond numbers; the case fails. */
  void fault(String reason) {
    faults.add(reason);
  }

  /** Names something in the file that is known and left for later; the case does not fail by it. */
  void notChecked(String what) {
    notChecked.add(what);
  }

  private boolean sameShape(String quantity, Tensor computed, Tensor expected) {
    boolean same = Arrays.equals(computed.shape(), expected.shape());
    if (!same) {
      fault(
          quantity
              + ": computed shape "
              + Arrays.toString(computed.shape())
              + ", expected "
              + Arrays.toString(expected.shape()));
    }
    return same;
  }

  String file() {
    return file;
  }

  String name() {
    return name;
  }

  List<Measurement> measurements() {
    return Collections.unmodifiableList(measurements);
  }

  List<Agreement> agreements() {
    return Collections.unmodifiableList(agreements);
  }

  List<String> faults() {
    return Collections.unmodifiableList(faults);
  }

  List<String> notChecked() {
    return Collections.unmodifiableList(notChecked);
  }

  /** Whether every measurement holds and nothing else is wrong. */
  boolean holds() {
    return faults.isEmpty() && measurements.stream().allMatch(Measurement::holds);
  }

  /** The quantity that comes nearest to its tolerance, or is furthest past it. */
  Optional<Measurement> worst() {
    return measurements.stream().max(Comparator.comparingDouble(Measurement::strain));
  }
}
