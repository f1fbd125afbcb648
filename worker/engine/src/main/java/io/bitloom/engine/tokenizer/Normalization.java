package io.bitloom.engine.tokenizer;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Weights;
import org.bytedeco.pytorch.Tensor;

/**
 * Group normalization with 32 groups, or 24 where 32 does not divide the channels; its parameters
 * are {@code norm.weight} and {@code norm.bias}.
 */
final class Normalization implements Layer {
  private static final double EPS = 1e-6;

  private final Tensor weight;
  private final Tensor bias;
  private final int groups;

  Normalization(Weights weights, int channels) {
    this.weight = weights.get("norm.weight", channels);
    this.bias = weights.get("norm.bias", channels);
    this.groups = channels % 32 == 0 ? 32 : 24;
    if (channels % groups != 0) {
      throw new IllegalArgumentException(
          "group norm needs a multiple of 32 or 24 channels, got " + channels);
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    return Nn.groupNorm(x, groups, weight, bias, EPS);
  }

  /** {@link #forward}, then x·sigmoid(x). */
  Tensor forwardSilu(Tensor x) {
    return Nn.groupNormSilu(x, groups, weight, bias, EPS);
  }

  /** {@link #forwardSilu} that may write over x, which nothing else may need. */
  Tensor forwardSiluInPlace(Tensor x) {
    return Nn.groupNormSiluInPlace(x, groups, weight, bias, EPS);
  }
}
