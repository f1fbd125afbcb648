package io.bitloom.engine.model;

import io.bitloom.engine.tensor.PackedRows;
import java.util.List;

/** From what an image is asked for to the condition of the transformer. */
interface Conditioning {
  /**
   * All prompts and behind them, for guidance, the unconditional or negative counterparts of some.
   *
   * @param negative null, or of length 0 for images without one
   * @param guided which prompts, in the order of the counterparts
   */
  PackedRows withUnconditional(PackedRows prompts, PackedRows negative, List<Integer> guided);

  /** Prompts of which some are replaced by the unconditional one, as training does at random. */
  PackedRows withDropped(PackedRows prompts, List<Boolean> dropped);

  /** The condition of R prompts. */
  TextCondition condition(PackedRows prompts, Trace trace);
}
