package io.bitloom.training.optim;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
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

  /** The gradient of a parameter, of its shape. */
  public Tensor of(String name) {
    Tensor parameter = parameters.get(name);
    Tensor gradient = parameter.grad();
    return gradient.defined() ? gradient : torch.zeros_like(parameter.detach());
  }

  /** The gradients of all parameters; those that are not there yet come to be, as zeros. */
  public List<Tensor> all() {
    for (String name : names) {
      Tensor parameter = parameters.get(name);
      if (!parameter.grad().defined()) {
        parameter.mutable_grad().put(torch.zeros_like(parameter.detach()));
      }
    }
    return names.stream().map(name -> parameters.get(name).grad()).toList();
  }

  /** Euclidean norm of every parameter's gradient, the squares summed in float64. */
  public Map<String, Double> norms() {
    Map<String, Double> norms = new LinkedHashMap<>();
    for (String name : names) {
      try (Scope scope = Scope.open()) {
        Tensor gradient = parameters.get(name).grad();
        norms.put(
            name,
            gradient.defined() ? gradient.norm(EUCLIDEAN, DType.F64.torch()).item_double() : 0);
      }
    }
    return norms;
  }

  /** Euclidean norm over all parameters. */
  public static double globalNorm(Map<String, Double> norms) {
    return Math.sqrt(norms.values().stream().mapToDouble(norm -> norm * norm).sum());
  }

  /**
   * Scales all gradients by the same factor so that their global norm is at most {@code limit}.
   *
   * @param limit 0 leaves the gradients as they are
   * @return the global norm before
   */
  public double clip(double limit) {
    double norm = globalNorm(norms());
    double factor = limit / (norm + CLIP_EPS);
    if (limit > 0 && factor < 1) {
      scale(factor);
    }
    return norm;
  }

  /** Multiplies all gradients by a factor. */
  public void scale(double factor) {
    forEach(gradient -> gradient.mul_(new Scalar(factor)));
  }

  /** Sets all gradients to zero. */
  public void zero() {
    forEach(Tensor::zero_);
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
