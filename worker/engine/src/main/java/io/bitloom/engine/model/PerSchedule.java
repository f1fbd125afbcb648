package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.Scope;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/** A tensor that follows from a schedule: computed when the schedule first comes, then kept. */
final class PerSchedule implements AutoCloseable {
  private final Function<List<Scale>, Tensor> formula;
  private final Map<List<Scale>, Tensor> known = new HashMap<>();

  PerSchedule(Function<List<Scale>, Tensor> formula) {
    this.formula = formula;
  }

  /** The tensor of a schedule, which stays this object's. */
  Tensor of(List<Scale> schedule) {
    return known.computeIfAbsent(List.copyOf(schedule), this::computed);
  }

  private Tensor computed(List<Scale> schedule) {
    try (Scope scope = Scope.open();
        InferenceMode off = new InferenceMode(false)) { // gradients may pass by it later
      return Scope.own(formula.apply(schedule));
    }
  }

  @Override
  public void close() {
    known.values().forEach(Tensor::close);
    known.clear();
  }
}
