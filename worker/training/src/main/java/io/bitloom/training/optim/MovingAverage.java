package io.bitloom.training.optim;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The exponential moving average of weights. Early in a run the average is over fewer steps, at
 * most (1 + t) / (10 + t) of it being old, so that the first random weights do not linger.
 */
public final class MovingAverage implements AutoCloseable {
  private final Weights weights;
  private final double decay;
  private final Weights average = new Weights("moving average");

  /** The average of weights, which must outlive it; it starts as their copy. */
  public MovingAverage(Weights weights, double decay) {
    this.weights = weights;
    this.decay = decay;
    for (String name : weights.names()) {
      try (Scope scope = Scope.open()) {
        average.put(name, weights.get(name).detach().clone());
      }
    }
  }

  /** Takes the weights after step {@code step} (from 0) into the average. */
  public void update(long step) {
    double old = Math.min(decay, (1.0 + step) / (10.0 + step));
    List<String> learnt =
        weights.names().stream().filter(name -> weights.get(name).requires_grad()).toList();
    if (!learnt.isEmpty() && weights.get(learnt.get(0)).is_cuda()) {
      try (Scope scope = Scope.open();
          NoGradGuard noGradients = new NoGradGuard()) {
        Foreach.lerp(
            learnt.stream().map(average::get).toList(),
            learnt.stream().map(weights::get).toList(),
            1 - old);
      }
      return;
    }
    for (String name : learnt) {
      try (Scope scope = Scope.open();
          NoGradGuard noGradients = new NoGradGuard()) {
        average.get(name).lerp_(weights.get(name), new Scalar(1 - old));
      }
    }
  }

  /** The averages, by the names of the weights. */
  public Weights average() {
    return average;
  }

  /**
   * Goes on from a stored average.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if a tensor is missing or of another shape
   */
  public void restore(Weights stored) {
    for (String name : average.names()) {
      try (Scope scope = Scope.open()) {
        Tensor own = average.get(name);
        own.copy_(stored.get(name, own.shape()));
      }
    }
  }

  @Override
  public void close() {
    average.close();
  }
}
