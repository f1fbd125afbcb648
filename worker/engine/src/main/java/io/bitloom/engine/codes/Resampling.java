package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.Resize;
import org.bytedeco.pytorch.Tensor;

/**
 * The three ways between full size and the size of a scale (section 3.2 of the paper; which
 * interpolation each takes is that of the official code). A map that has the size already is
 * returned as it is.
 */
final class Resampling {
  private Resampling() {}

  /** What is left to explain (B, d, H, W), seen at a scale (B, d, h, w): means of areas. */
  static Tensor down(Tensor xBdHW, Scale to) {
    return hasSize(xBdHW, to) ? xBdHW : Resize.area(xBdHW, to.height(), to.width());
  }

  /** The codes of a scale (B, d, h, w) at full size (B, d, H, W): trilinear. */
  static Tensor up(Tensor codesBdhw, Scale to) {
    return trilinear(codesBdhw, to);
  }

  /** The sum of codes F_k (B, d, H, W) as the transformer sees it at the next scale: trilinear. */
  static Tensor toNext(Tensor summedBdHW, Scale next) {
    return trilinear(summedBdHW, next);
  }

  private static Tensor trilinear(Tensor x, Scale to) {
    return hasSize(x, to) ? x : Resize.trilinear(x, to.height(), to.width());
  }

  private static boolean hasSize(Tensor x, Scale scale) {
    return x.size(2) == scale.height() && x.size(3) == scale.width();
  }
}
