package io.bitloom.training.tokenizer;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Judges every patch of a picture (arXiv 1611.07004): positive for real ones, negative for
 * reconstructions. Trained with the hinge loss.
 */
final class PatchDiscriminator {
  private static final String LAYERS_PREFIX = "layers.";
  private static final int LAYERS = 4;
  private static final int KERNEL = 4;
  private static final double SLOPE = 0.2;

  private final Weights weights;

  PatchDiscriminator(Weights weights) {
    this.weights = weights;
  }

  /** Name to shape of all parameters. */
  static Map<String, long[]> layout(int width) {
    Map<String, long[]> layout = new LinkedHashMap<>();
    int in = 3;
    for (int layer = 0; layer < LAYERS; layer++) {
      int out = layer == LAYERS - 1 ? 1 : width << layer;
      layout.put(LAYERS_PREFIX + layer + ".weight", new long[] {out, in, KERNEL, KERNEL});
      layout.put(LAYERS_PREFIX + layer + ".bias", new long[] {out});
      in = out;
    }
    return layout;
  }

  /** Verdicts (B, 1, h, w) on pictures (B, 3, H, W) in [-1, 1]. */
  Tensor verdicts(Tensor picturesB3HW) {
    Tensor x = picturesB3HW;
    for (int layer = 0; layer < LAYERS; layer++) {
      boolean last = layer == LAYERS - 1;
      Tensor weight = weights.get(LAYERS_PREFIX + layer + ".weight");
      Tensor bias = weights.get(LAYERS_PREFIX + layer + ".bias");
      x = Nn.conv2d(x, weight, bias, last ? 1 : 2, 1);
      x = last ? x : torch.leaky_relu(x, new Scalar(SLOPE));
    }
    return x;
  }

  /** What the decoder wants to be small: reconstructions that look unreal. */
  Tensor loss(Tensor reconstructions) {
    return verdicts(reconstructions).mean().neg();
  }

  /** What the discriminator wants to be small: ½ (max(0, 1 − D(real)) + max(0, 1 + D(fake))). */
  Tensor hinge(Tensor pictures, Tensor reconstructions) {
    Scalar one = new Scalar(1);
    Tensor real = Tensors.relu(verdicts(pictures).neg().add(one)).mean();
    Tensor fake = Tensors.relu(verdicts(reconstructions).add(one)).mean();
    return real.add(fake).mul(new Scalar(0.5));
  }

  /** Whether gradients reach the parameters. */
  void learns(boolean learns) {
    weights
        .at(LAYERS_PREFIX)
        .names()
        .forEach(name -> weights.get(LAYERS_PREFIX + name).requires_grad_(learns));
  }
}
