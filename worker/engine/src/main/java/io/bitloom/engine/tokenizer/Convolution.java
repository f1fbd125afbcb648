package io.bitloom.engine.tokenizer;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Weights;
import org.bytedeco.pytorch.Tensor;

/** A convolution with bias; its parameters are {@code conv.weight} and {@code conv.bias}. */
final class Convolution implements Layer {
  private final Tensor weight;
  private final Tensor bias;
  private final int stride;
  private final int padding;

  private Convolution(Weights weights, int in, int out, int kernel, int stride, int padding) {
    this.weight = weights.get("conv.weight", out, in, kernel, kernel);
    this.bias = weights.get("conv.bias", out);
    this.stride = stride;
    this.padding = padding;
  }

  /** 3×3, keeps the size. */
  static Convolution of3x3(Weights weights, int in, int out) {
    return new Convolution(weights, in, out, 3, 1, 1);
  }

  /** Doubles height and width by repeating every cell, then 3×3. */
  static Layer doubling(Weights weights, int channels) {
    Convolution conv = of3x3(weights, channels, channels);
    return x -> Nn.doubledConv2d(x, conv.weight, conv.bias); // (B, C, 2H, 2W)
  }

  /** 3×3 with stride 2 and no padding: the caller pads. */
  static Convolution halving(Weights weights, int channels) {
    return new Convolution(weights, channels, channels, 3, 2, 0);
  }

  /** 1×1: mixes channels. */
  static Convolution of1x1(Weights weights, int in, int out) {
    return new Convolution(weights, in, out, 1, 1, 0);
  }

  @Override
  public Tensor forward(Tensor x) {
    return Nn.conv2d(x, weight, bias, stride, padding);
  }
}
