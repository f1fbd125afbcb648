package io.bitloom.engine.model;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import org.bytedeco.pytorch.Tensor;

/**
 * The norm of an architecture: layer norm or RMS norm over the last axis, with or without affine.
 */
final class Norm {
  private final boolean rms;
  private final double eps;
  private final Tensor weight; // (channels) or null
  private final Tensor bias; // (channels) or null

  private Norm(boolean rms, double eps, Tensor weight, Tensor bias) {
    this.rms = rms;
    this.eps = eps;
    this.weight = weight;
    this.bias = bias;
  }

  /** The norm without scale and shift. */
  static Norm plain(InfinityConfig config) {
    return new Norm(config.rmsNorm(), config.normEps(), null, null);
  }

  /** The norm with learned scale and, for layer norm, shift. */
  static Norm affine(InfinityConfig config, Parameters parameters, String name, int channels) {
    Tensor weight = parameters.get(name + ".weight", channels);
    Tensor bias = config.rmsNorm() ? null : parameters.get(name + ".bias", channels);
    return new Norm(config.rmsNorm(), config.normEps(), weight, bias);
  }

  /** RMS norm with learned scale, whatever the architecture's norm is. */
  static Norm rms(InfinityConfig config, Parameters parameters, String name, int channels) {
    return new Norm(true, config.normEps(), parameters.get(name + ".weight", channels), null);
  }

  /**
   * shift + norm(x) · scale, of a norm without scale and shift of its own.
   *
   * @param reader what the layer that reads it computes in
   */
  Tensor modulated(Tensor xRLC, Tensor scaleR1C, Tensor shiftR1C, DType reader) {
    return Nn.modulatedNorm(xRLC, rms, eps, scaleR1C, shiftR1C, reader);
  }

  Tensor apply(Tensor x) {
    return rms ? Nn.rmsNorm(x, weight, eps) : Nn.layerNorm(x, weight, bias, eps);
  }
}
