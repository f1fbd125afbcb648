package io.bitloom.training.optim;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Adam with decoupled weight decay (arXiv 1711.05101, algorithm 2), step for step as PyTorch
 * computes it. Weight decay spares the parameters that {@link ParameterGroups} names.
 */
public final class AdamW implements Optimizer {
  private static final String FIRST = "exp_avg/";
  private static final String SECOND = "exp_avg_sq/";

  private final Weights parameters;
  private final Gradients gradients;
  private final List<String> names;
  private final Settings settings;
  private final boolean fused;
  private final Weights state = new Weights("optimizer");
  private long steps;

  /**
   * The constants.
   *
   * @param beta1 decay of the mean of gradients
   * @param beta2 decay of the mean of squared gradients
   * @param eps added to the root of the squares
   * @param weightDecay fraction of a weight that is taken off per step and unit of learning rate
   */
  public record Settings(double beta1, double beta2, double eps, double weightDecay) {
    /** What the official training scripts use. */
    public static final Settings REFERENCE = new Settings(0.9, 0.97, 1e-8, 0.005);
  }

  /**
   * An optimizer of the weights that require gradients; they must outlive it. Its state is zero.
   */
  public AdamW(Weights parameters, Settings settings) {
    this(parameters, settings, name -> true);
  }

  /** An optimizer of some of these weights. */
  AdamW(Weights parameters, Settings settings, Predicate<String> takes) {
    this(
        parameters,
        settings,
        takes,
        parameters.names().stream().anyMatch(name -> parameters.get(name).is_cuda()));
  }

  /**
   * An optimizer of some of these weights.
   *
   * @param fused whether libtorch's one kernel for all parameters does the step, as on GPUs; other
   *     devices are taken through it operator by operator
   */
  AdamW(Weights parameters, Settings settings, Predicate<String> takes, boolean fused) {
    this.fused = fused;
    this.parameters = parameters;
    this.gradients = new Gradients(parameters);
    this.names = gradients.names().stream().filter(takes).toList();
    this.settings = settings;
    for (String name : names) {
      try (Scope scope = Scope.open()) {
        state.put(FIRST + name, torch.zeros_like(parameters.get(name).detach()));
        state.put(SECOND + name, torch.zeros_like(parameters.get(name).detach()));
      }
    }
  }

  @Override
  public void step(double learningRate) {
    steps++;
    if (fused) {
      try (Scope scope = Scope.open();
          NoGradGuard noGradients = new NoGradGuard()) {
        names.stream()
            .collect(Collectors.partitioningBy(this::decays))
            .forEach((decays, group) -> updateTogether(group, decays, learningRate));
      }
      return;
    }
    for (String name : names) {
      try (Scope scope = Scope.open();
          NoGradGuard noGradients = new NoGradGuard()) {
        update(name, gradients.of(name), learningRate);
      }
    }
  }

  private boolean decays(String name) {
    return ParameterGroups.decays(name, parameters.get(name));
  }

  private void updateTogether(List<String> group, boolean decays, double learningRate) {
    if (group.isEmpty()) {
      return;
    }
    List<Tensor> own = group.stream().map(parameters::get).toList();
    Tensor step = own.get(0).detach().new_zeros().add_(new Scalar((double) steps));
    Foreach.adamW(
        own,
        group.stream().map(gradients::of).toList(),
        group.stream().map(name -> state.get(FIRST + name)).toList(),
        group.stream().map(name -> state.get(SECOND + name)).toList(),
        step,
        learningRate,
        settings,
        decays ? settings.weightDecay() : 0);
  }

  private void update(String name, Tensor gradient, double learningRate) {
    Tensor parameter = parameters.get(name);
    Tensor mean = state.get(FIRST + name);
    Tensor square = state.get(SECOND + name);
    double decay = decays(name) ? settings.weightDecay() : 0;
    double firstCorrection = 1 - Math.pow(settings.beta1(), steps);
    double secondCorrection = 1 - Math.pow(settings.beta2(), steps);

    parameter.mul_(new Scalar(1 - learningRate * decay));
    mean.lerp_(gradient, new Scalar(1 - settings.beta1()));
    square
        .mul_(new Scalar(settings.beta2()))
        .addcmul_(gradient, gradient, new Scalar(1 - settings.beta2()));
    Tensor root =
        square
            .sqrt()
            .div_(new Scalar(Math.sqrt(secondCorrection)))
            .add_(new Scalar(settings.eps()));
    parameter.addcdiv_(mean, root, new Scalar(-learningRate / firstCorrection));
  }

  @Override
  public long steps() {
    return steps;
  }

  /** The running means: {@code exp_avg/NAME} and {@code exp_avg_sq/NAME}. */
  @Override
  public Weights state() {
    return state;
  }

  @Override
  public void restore(Weights stored, long steps) {
    for (String name : state.names()) {
      try (Scope scope = Scope.open()) {
        Tensor own = state.get(name);
        own.copy_(stored.get(name, own.shape()));
      }
    }
    this.steps = steps;
  }

  @Override
  public void close() {
    state.close();
  }
}
