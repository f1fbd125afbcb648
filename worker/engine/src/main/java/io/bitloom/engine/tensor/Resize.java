package io.bitloom.engine.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Changes the height and width of feature maps (B, C, H, W). */
public final class Resize {
  static {
    LibTorch.start();
  }

  private Resize() {}

  /** Every output cell is the mean of the input cells that it covers (adaptive average pooling). */
  public static Tensor area(Tensor xBCHW, int height, int width) {
    if (xBCHW.is_meta()) {
      return MetaOperators.area(xBCHW, height, width);
    }
    return torch
        .adaptive_avg_pool3d(xBCHW.unsqueeze(2), new long[] {1, height, width})
        .squeeze(2); // (B, C, height, width)
  }

  /**
   * Linear interpolation between pixel centres (align_corners false, no antialias), as PyTorch's
   * trilinear mode computes it on a single frame.
   */
  public static Tensor trilinear(Tensor xBCHW, int height, int width) {
    return torch
        .upsample_trilinear3d(xBCHW.unsqueeze(2), new long[] {1, height, width}, false)
        .squeeze(2); // (B, C, height, width)
  }

  /** Bicubic interpolation between pixel centres (align_corners false, no antialias). */
  public static Tensor bicubic(Tensor xBCHW, int height, int width) {
    return torch.upsample_bicubic2d(xBCHW, new long[] {height, width}, false);
  }

  /** Repeats every cell in both directions. */
  public static Tensor doubled(Tensor xBCHW) {
    return torch.upsample_nearest2d(xBCHW, 2 * xBCHW.size(2), 2 * xBCHW.size(3)); // (B, C, 2H, 2W)
  }

  /** (B, C·r², H, W) to (B, C, H·r, W·r); channel c·r² + dy·r + dx becomes cell (dy, dx). */
  public static Tensor pixelShuffle(Tensor xBCHW, int r) {
    return torch.pixel_shuffle(xBCHW, r);
  }

  /** (B, C, H·r, W·r) to (B, C·r², H, W), the inverse of {@link #pixelShuffle}. */
  public static Tensor pixelUnshuffle(Tensor xBCHW, int r) {
    return torch.pixel_unshuffle(xBCHW, r);
  }
}
