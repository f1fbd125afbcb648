package io.bitloom.loadtests.gpu;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.model.InfinityConfig;
import java.util.List;

/**
 * Floating-point operations of drawing, a product and a sum being two. Left out is what the text
 * needs once an image, the head, and everything that is no matrix product.
 *
 * @param linear of the blocks' linear layers, those of the text left out
 * @param attention of self-attention; cross-attention is some thousandths of it
 */
record ModelFlops(double linear, double attention) {

  /** Of one row, which is the conditional or the unconditional half of an image, at scale k. */
  static ModelFlops ofScale(InfinityConfig config, List<Scale> scales, int k) {
    double width = config.embedDim();
    double tokens = scales.get(k).tokens();
    double seen = scales.subList(0, k + 1).stream().mapToLong(Scale::tokens).sum();
    double cross = config.square() == null ? 2 * width * width : 0;
    double feedForward = (config.swiGlu() ? 3 : 2) * width * config.mlpWidth();
    double matrices = 4 * width * width + cross + feedForward;
    return new ModelFlops(
        config.depth() * 2 * tokens * matrices, config.depth() * 4 * tokens * seen * width);
  }

  /**
   * Of an image.
   *
   * @param guidance of each scale; without it, at 1, only the conditional half is computed
   */
  static ModelFlops ofImage(InfinityConfig config, List<Scale> scales, List<Double> guidance) {
    double linear = 0;
    double attention = 0;
    for (int k = 0; k < scales.size(); k++) {
      ModelFlops row = ofScale(config, scales, k);
      int rows = guidance.get(k) == 1 ? 1 : 2;
      linear += rows * row.linear();
      attention += rows * row.attention();
    }
    return new ModelFlops(linear, attention);
  }

  /** Both together. */
  double total() {
    return linear + attention;
  }
}
