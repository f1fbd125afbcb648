package io.bitloom.engine.modeldir;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.TokenizerConfig;

/**
 * Whether a transformer and a tokenizer belong together: a token has the bits of one cell of the
 * tokenizer, or with spatial patchify of 2×2 cells, and is always {@value
 * ScaleSchedule#PIXELS_PER_TOKEN} pixels wide. A class-conditional VAR has the entries of the
 * tokenizer's codebook instead.
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
   * @param drawing its architecture
   * @param bits bits that it decides per token
   * @param tokenizer names the tokenizer in messages
   * @throws WeightsException saying what each of the two has
   */
  static void check(
      String transformer,
      InfinityConfig drawing,
      int bits,
      String tokenizer,
      TokenizerConfig config) {
    int entries = drawing.square() == null ? 0 : drawing.square().vocabulary();
    if (entries != config.vocabSize()) {
      throw new WeightsException(
          transformer,
          "the transformer and the tokenizer do not belong together: the transformer draws "
              + codes(entries)
              + ", the tokenizer "
              + tokenizer
              + " has "
              + codes(config.vocabSize()));
    }
    boolean patchify = drawing.spatialPatchify();
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

  private static String codes(int entries) {
    return entries == 0 ? "bits" : "entries of a codebook of " + entries;
  }
}
