package io.bitloom.worker.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What the transformer takes from the texts of a batch. With guidance the prompts of all images
 * come first, then the unconditional or negative texts of those that guide.
 *
 * @param rowsNC packed text rows for cross-attention
 * @param lengths number of rows of each of the R texts
 * @param pooledRC each text as one vector: start token and condition
 * @param sharedAdaR16C modulation shared by all blocks (R, 1, 6, C), or null where every block has
 *     its own
 */
record TextCondition(Tensor rowsNC, List<Integer> lengths, Tensor pooledRC, Tensor sharedAdaR16C) {

  /** Number of texts R. */
  int rows() {
    return lengths.size();
  }
}
