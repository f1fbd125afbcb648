package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.Resize;
import org.bytedeco.pytorch.Tensor;

/**
 * How the cells of a map lie in the transformer's tokens. A token is one cell of d channels, or
 * under spatial patchify 2×2 cells: channel c·4 + dy·2 + dx of the token is channel c of cell (dy,
 * dx), so that D is d or 4d.
 *
 * @param spatialPatchify whether a token is 2×2 cells
 */
record TokenLayout(boolean spatialPatchify) {
  private static final int PATCH = 2;

  /** The cells of a scale that is counted in tokens. */
  Scale cells(Scale tokens) {
    return spatialPatchify ? tokens.doubled() : tokens;
  }

  /** A map of cells (B, d, h, w) as tokens in row-major order (B, L, D). */
  Tensor tokens(Tensor mapBdhw) {
    Tensor map = spatialPatchify ? Resize.pixelUnshuffle(mapBdhw, PATCH) : mapBdhw;
    return map.flatten(2, 3).transpose(1, 2);
  }

  /**
   * The tokens (B, L, D) of a scale, which is counted in tokens, as a map of cells (B, d, h, w).
   */
  Tensor map(Tensor tokensBLD, Scale scale) {
    long[] shape = {tokensBLD.size(0), tokensBLD.size(2), scale.height(), scale.width()};
    Tensor map = tokensBLD.transpose(1, 2).reshape(shape);
    return spatialPatchify ? Resize.pixelShuffle(map, PATCH) : map;
  }

  /**
   * F̃_k: what the transformer sees of the sum of codes F_k (B, d, H, W) at the next scale.
   *
   * @param next counted in cells
   * @return (B, L, D)
   */
  Tensor nextInput(Tensor summedBdHW, Scale next) {
    return tokens(Resampling.toNext(summedBdHW, next));
  }
}
