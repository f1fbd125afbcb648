package io.bitloom.training.optim;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The gradients that a backward pass left on parameters. A parameter that the loss did not depend
 * on has the gradient 0.
 */
public final class Gradients {
  private static final ScalarOptional EUCLIDEAN = Scope.own(new ScalarOptional(new Scalar(2)));

  /** Keeps the clipped norm below the limit in spite of rounding, as PyTorch's clipping does. */
  private static final double CLIP_EPS = 1e-6;

  private final Weights parameters;
  private final List<String> names;
  private double[] measured; // norms that were read already; null for none

  /** The gradients of those weights that require them. */
  public Gradients(Weights weights) {
    this.parameters = weights;
    this.names =
        weights.names().stream().filter(name -> weights.get(name).requires_grad()).toList();
  }

  /** The names of the parameters. */
  public List<String> names() {
    return names;
  }

  /** The parameter of this name. */
  Tensor parameter(String name) {
    return parameters.get(name);
  }

  /** The gradient of a parameter, of its shape. */
  public Tensor of(String name) {
    Tensor parameter = parameters.get(name);
    Tensor gradient = parameter.grad();
    return gradient.defined() ? gradient : torch.zeros_like(parameter.detach());
  }

  /**
   * Euclidean norm of every parameter's gradient, the squares summed in float64, where the
   * gradients are: nothing is read.
   *
   * @return (N), in the order of {@link #names()}
   */
  public Tensor unreadNorms() {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      if (names.isEmpty()) {
        return scope.keep(Tensors.zeros(DType.F64, TorchDevice.CPU, 0));
      }
      List<Tensor> all = names.stream().map(this::of).toList();
      return scope.keep(
          onGpu()
              ? Foreach.norms(all)
              : torch.stack(
                  new TensorVector(
                      all.stream()
                          .map(gradient -> gradient.norm(EUCLIDEAN, DType.F64.torch()))
                          .toArray(Tensor[]::new)),
                  0));
    }
  }

  /** {@link #unreadNorms}, read and by name. */
  public Map<String, Double> norms() {
    Map<String, Double> norms = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      double[] values = Tensors.doubles(unreadNorms());
      for (int i = 0; i < values.length; i++) {
        norms.put(names.get(i), values[i]);
      }
    }
    return norms;
  }

  /** Euclidean norm over all parameters. */
  public static double globalNorm(Map<String, Double> norms) {
    return globalNorm(norms.values().stream().mapToDouble(norm -> norm).toArray());
  }

  private static double globalNorm(double... norms) {
    return Math.sqrt(Arrays.stream(norms).map(norm -> norm * norm).sum());
  }

  /**
   * Takes the values of {@link #unreadNorms}, so that the next {@link #clip} does not read them.
   */
  public void measured(double... norms) {
    measured = norms;
  }

  /**
   * Scales all gradients by the same factor so that their global norm is at most {@code limit}.
   *
   * @param limit 0 leaves the gradients as they are
   * @return the global norm before
   */
  public double clip(double limit) {
    double norm = measured == null ? globalNorm(norms()) : globalNorm(measured);
    measured = null;
    double factor = limit / (norm + CLIP_EPS);
    if (limit > 0 && factor < 1) {
      scale(factor);
    }
    return norm;
  }

  /** Multiplies all gradients by a factor. */
  public void scale(double factor) {
    change(gradient -> gradient.mul_(new Scalar(factor)), all -> Foreach.multiply(all, factor));
  }

  /** Sets all gradients to zero. */
  public void zero() {
    change(Tensor::zero_, Foreach::zero);
  }

  private boolean onGpu() {
    return !names.isEmpty() && parameters.get(names.get(0)).is_cuda();
  }

  private void change(Consumer<Tensor> each, Consumer<List<Tensor>> together) {
    if (!onGpu()) {
      forEach(each);
      return;
    }
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      List<Tensor> defined =
          names.stream().map(name -> parameters.get(name).grad()).filter(Tensor::defined).toList();
      if (!defined.isEmpty()) {
        together.accept(defined);
      }
    }
  }

  private void forEach(Consumer<Tensor> change) {
    for (String name : names) {
      try (Scope scope = Scope.open();
          NoGradGuard noGradients = new NoGradGuard()) {
        Tensor gradient = parameters.get(name).grad();
        if (gradient.defined()) {
          change.accept(gradient);
        }
      }
    }
  }

  /**
   * Copies of weights that gradients can flow to, for training; buffers are copied and stay as they
   * are.
   *
   * @param trained which names are parameters
   */
  public static Weights trainableCopy(Weights weights, Predicate<String> trained) {
    Weights copy = new Weights(weights.source());
    for (String name : weights.names()) {
      try (Scope scope = Scope.open()) {
        Tensor tensor = weights.get(name);
        boolean floating = Tensors.dtype(tensor).floating();
        Tensor own = (floating ? Tensors.to(tensor, DType.F32) : tensor).clone();
        copy.put(name, own.detach().requires_grad_(floating && trained.test(name)));
      }
    }
    return copy;
  }
}
