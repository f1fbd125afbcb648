package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Scope;
import org.bytedeco.pytorch.Tensor;

/**
 * What the transformer takes from the texts of a batch. With guidance the prompts of all images
 * come first, then the unconditional or negative texts of those that guide.
 *
 * @param rowsNC packed text rows for cross-attention
 * @param texts how the R texts lie in them
 * @param pooledRC each text as one vector: start token and condition
 * @param sharedAdaR16C modulation shared by all blocks (R, 1, 6, C), or null where every block has
 *     its own
 */
record TextCondition(Tensor rowsNC, Texts texts, Tensor pooledRC, Tensor sharedAdaR16C) {

  /**
   * The condition with the modulation that follows from it.
   *
   * @param sharedAdaLin computes the modulation of all blocks, or null
   */
  static TextCondition of(Tensor rowsNC, Texts texts, Tensor pooledRC, Linear sharedAdaLin) {
    Tensor ada =
        sharedAdaLin == null
            ? null
            : sharedAdaLin.apply(Nn.silu(pooledRC)).view(-1, 1, 6, pooledRC.size(1));
    return new TextCondition(rowsNC, texts, pooledRC, ada);
  }

  /** Takes the tensors out of a scope, but for those of {@link #texts}. */
  TextCondition keptBy(Scope scope) {
    return new TextCondition(
        scope.keep(rowsNC),
        texts,
        scope.keep(pooledRC),
        sharedAdaR16C == null ? null : scope.keep(sharedAdaR16C));
  }

  /** Number of texts R. */
  int rows() {
    return texts.count();
  }
}
