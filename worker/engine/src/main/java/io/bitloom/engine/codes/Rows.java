package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Maps as rows of cells and back, and what all quantizers do with them. */
final class Rows {
  /** Keeps the logarithm of a probability finite, as the reference does. */
  private static final double LOG_EPS = 1e-8;

  private Rows() {}

  /** A map (B, d, h, w) as rows (B·h·w, d). */
  static Tensor of(Tensor mapBdhw) {
    return mapBdhw.permute(0, 2, 3, 1).reshape(-1, mapBdhw.size(1));
  }

  /** Rows (B·h·w, d) as a map (B, d, h, w) of the shape of another one. */
  static Tensor map(Tensor rows, Tensor likeBdhw) {
    return rows.reshape(likeBdhw.size(0), likeBdhw.size(2), likeBdhw.size(3), rows.size(1))
        .permute(0, 3, 1, 2);
  }

  /** Digits (B·h·w, n) as (B, h, w, n) of the shape of a map. */
  static Tensor digits(Tensor rows, Tensor likeBdhw) {
    return rows.reshape(likeBdhw.size(0), likeBdhw.size(2), likeBdhw.size(3), rows.size(1));
  }

  /** The value of {@code codes}, the gradient of {@code features}. */
  static Tensor straightThrough(Tensor features, Tensor codes) {
    return features.add(codes.sub(features).detach());
  }

  /** Mean squared distance of features from codes, which take no gradient. */
  static Tensor distance(Tensor features, Tensor codes) {
    return features.sub(codes.detach()).square().mean();
  }

  /** A zero of the type and on the device of a tensor, without a gradient. */
  static Tensor zero(Tensor like) {
    return like.detach().sum().mul(new Scalar(0));
  }

  /** −p·ln p. */
  static Tensor surprise(Tensor p) {
    return p.mul(Tensors.plus(p, LOG_EPS).log()).neg();
  }
}
