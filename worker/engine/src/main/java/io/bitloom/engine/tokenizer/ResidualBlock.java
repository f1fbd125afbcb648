package io.bitloom.engine.tokenizer;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/** x + f(x) with f = two times (normalise, SiLU, 3×3 convolution). */
final class ResidualBlock implements Layer {
  private final Normalization norm1;
  private final Convolution conv1;
  private final Normalization norm2;
  private final Convolution conv2;
  private final Layer shortcut;

  ResidualBlock(Weights weights, int in, int out) {
    norm1 = new Normalization(weights.at("norm1."), in);
    conv1 = Convolution.of3x3(weights.at("conv1."), in, out);
    norm2 = new Normalization(weights.at("norm2."), out);
    conv2 = Convolution.of3x3(weights.at("conv2."), out, out);
    shortcut = in == out ? x -> x : Convolution.of1x1(weights.at("nin_shortcut."), in, out);
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor h = only(() -> conv1.forward(norm1.forwardSilu(x))); // (B, out, H, W)
    Tensor result = only(() -> conv2.forward(norm2.forwardSiluInPlace(h))); // (B, out, H, W)
    h.close();
    return result.add_(shortcut.forward(x)); // (B, out, H, W)
  }

  /** What a step makes: its intermediate maps are the largest that there are, and freed at once. */
  private static Tensor only(Supplier<Tensor> step) {
    try (Scope scope = Scope.open()) {
      return scope.keep(step.get());
    }
  }
}
