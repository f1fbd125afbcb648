package io.bitloom.training.optim;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.distributed.Processes;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Muon (K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024): a matrix of a
 * block, or the kernel of a convolution as a matrix, moves along its momentum with all singular
 * values made about 1, so that rare directions count as much as common ones. {@link AdamW} takes
 * all other parameters.
 *
 * <p>Processes share the matrices among them and exchange what each has found; the result is the
 * same for any number of them.
 */
public final class Muon implements Optimizer {
  private static final String MOMENTUM = "momentum/";

  /** Newton-Schulz iterations, and the coefficients of x, xxᵀx and (xxᵀ)²x. */
  private static final int ITERATIONS = 5;

  private static final double A = 3.4445;
  private static final double B = -4.7750;
  private static final double C = 2.0315;
  private static final double EPS = 1e-7;

  private final Weights parameters;
  private final Gradients gradients;
  private final List<String> matrices;
  private final AdamW others;
  private final Settings settings;
  private final double weightDecay;
  private final Processes processes;
  private final Weights state = new Weights("optimizer");

  /**
   * The constants.
   *
   * @param rate learning rate of the matrices, as a multiple of AdamW's
   * @param momentum decay of the mean of gradients
   */
  public record Settings(double rate, double momentum) {}

  /**
   * An optimizer of the weights that require gradients; they must outlive it.
   *
   * @param adamW constants for the other parameters; matrices decay by the same fraction
   */
  public Muon(Weights parameters, Settings settings, AdamW.Settings adamW, Processes processes) {
    this.parameters = parameters;
    this.settings = settings;
    this.weightDecay = adamW.weightDecay();
    this.processes = processes;
    gradients = new Gradients(parameters);
    matrices =
        gradients.names().stream()
            .filter(name -> ParameterGroups.isHiddenMatrix(name, parameters.get(name)))
            .toList();
    others = new AdamW(parameters, adamW, name -> !matrices.contains(name));
    state.share(others.state());
    for (String name : matrices) {
      try (Scope scope = Scope.open()) {
        state.put(MOMENTUM + name, torch.zeros_like(parameters.get(name).detach()));
      }
    }
  }

  @Override
  public void step(double learningRate) {
    others.step(learningRate);
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      List<Tensor> directions = new ArrayList<>();
      for (int i = 0; i < matrices.size(); i++) {
        Tensor ahead = ahead(matrices.get(i));
        boolean own = i % processes.count() == processes.rank();
        directions.add(own ? direction(matrices.get(i), ahead) : torch.zeros_like(ahead));
      }
      processes.sum(directions);
      double rate = settings.rate() * learningRate;
      for (int i = 0; i < matrices.size(); i++) {
        Tensor parameter = parameters.get(matrices.get(i));
        parameter.mul_(new Scalar(1 - rate * weightDecay));
        parameter.add_(directions.get(i), new Scalar(-rate));
      }
    }
  }

  /** Takes the gradient of a matrix into its momentum, and looks one step ahead (Nesterov). */
  private Tensor ahead(String name) {
    try (Scope scope = Scope.open()) {
      Tensor gradient = gradients.of(name);
      Tensor momentum = state.get(MOMENTUM + name);
      momentum.lerp_(gradient, new Scalar(1 - settings.momentum()));
      return scope.keep(gradient.lerp(momentum, new Scalar(settings.momentum())));
    }
  }

  /**
   * A matrix (R, C) with its singular values made about 1, times √max(1, R/C): then a step changes
   * outputs by about as much in every layer. Where a layer is several in one, each is made so
   * alone.
   */
  private static Tensor direction(String name, Tensor matrix) {
    try (Scope scope = Scope.open()) {
      long layers = ParameterGroups.layers(name);
      long rows = matrix.size(0) / layers;
      long columns = matrix.numel() / matrix.size(0);
      Tensor parts = matrix.reshape(layers, rows, columns);
      Tensor orthogonal =
          rows > columns
              ? orthogonal(parts.transpose(1, 2)).transpose(1, 2)
              : orthogonal(parts); // (layers, R, C)
      double scale = Math.sqrt(Math.max(1, (double) rows / columns));
      return scope.keep(Tensors.times(orthogonal.reshape(matrix.shape()), scale));
    }
  }

  /** Newton-Schulz iteration on matrices (N, R, C) of no more rows than columns. */
  private static Tensor orthogonal(Tensor matrices) {
    Tensor norm = matrices.square().flatten(1, 2).sum(1).sqrt().add(new Scalar(EPS)); // (N)
    Tensor x = matrices.div(norm.view(-1, 1, 1)).contiguous();
    for (int i = 0; i < ITERATIONS; i++) {
      Tensor square = x.bmm(x.transpose(1, 2)); // (N, R, R)
      Tensor polynomial = square.bmm(square).mul_(new Scalar(C)).add_(square, new Scalar(B));
      x = Tensors.times(x, A).add_(polynomial.bmm(x));
    }
    return x;
  }

  @Override
  public long steps() {
    return others.steps();
  }

  @Override
  public Weights state() {
    return state;
  }

  @Override
  public void restore(Weights stored, long steps) {
    others.restore(stored, steps);
    for (String name : matrices) {
      try (Scope scope = Scope.open()) {
        Tensor own = state.get(MOMENTUM + name);
        own.copy_(stored.get(MOMENTUM + name, own.shape()));
      }
    }
  }

  @Override
  public void close() {
    state.close();
    others.close();
  }
}
