package io.bitloom.worker.modeldir;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.tensor.WeightsException;
import io.bitloom.worker.tokenizer.TokenizerConfig;

/**
 * Whether a transformer and a tokenizer belong together: a token has the bits of one cell of the
 * tokenizer, or with spatial patchify of 2×2 cells, and is always {@value
 * ScaleSchedule#PIXELS_PER_TOKEN} pixels wide.
 */
final class Pairing {
  /** Tokenizer cells that spatial patchify makes one token of. */
  static final int PATCH_CELLS = 4;

  private static final int PATCH_SIDE = 2;

  private Pairing() {}

  /**
   * Refuses a pair that does not fit.
   *
   * @param transformer names the transformer in messages
   * @param bits bits that it decides per token
   * @param patchify whether its tokens stand for 2×2 cells
   * @param tokenizer names the tokenizer in messages
   * @throws WeightsException saying what each of the two has
   */
  static void check(
      String transformer, int bits, boolean patchify, String tokenizer, TokenizerConfig config) {
    int cells = patchify ? PATCH_CELLS : 1;
    int pixels = config.patchSize() * (patchify ? PATCH_SIDE : 1);
    if (bits != cells * config.codebookDim() || pixels != ScaleSchedule.PIXELS_PER_TOKEN) {
      throw new WeightsException(
          transformer,
          "the transformer and the tokenizer do not belong together: the transformer decides "
              + bits
              + " bits per token "
              + (patchify ? "with" : "without")
              + " spatial patchify, so it needs a tokenizer of "
              + (bits % cells == 0 ? bits / cells + "" : bits + "/" + cells)
              + " bits and stride "
              + ScaleSchedule.PIXELS_PER_TOKEN / (patchify ? PATCH_SIDE : 1)
              + "; the tokenizer "
              + tokenizer
              + " has "
              + config.codebookDim()
              + " bits and stride "
              + config.patchSize());
    }
  }
}
