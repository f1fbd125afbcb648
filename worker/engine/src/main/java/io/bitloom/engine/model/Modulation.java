package io.bitloom.engine.model;

import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * What the condition does to a block: scale and shift after the norms before self-attention (1) and
 * the feed-forward layer (2), and gates on what the two add. All are (R, 1, C); the scales already
 * contain the 1 of x·(1 + scale) + shift.
 */
record Modulation(
    Tensor gamma1, Tensor gamma2, Tensor scale1, Tensor scale2, Tensor shift1, Tensor shift2) {

  /** Splits (R, 1, 6, C) in the order of the official code. */
  static Modulation of(Tensor adaR16C) {
    Tensor scales = Tensors.plus(adaR16C.narrow(2, 2, 2), 1); // (R, 1, 2, C)
    return new Modulation(
        adaR16C.select(2, 0),
        adaR16C.select(2, 1),
        scales.select(2, 0),
        scales.select(2, 1),
        adaR16C.select(2, 4),
        adaR16C.select(2, 5));
  }

  /** Only some rows of the batch. */
  Modulation rows(int from, int count) {
    return new Modulation(
        gamma1.narrow(0, from, count),
        gamma2.narrow(0, from, count),
        scale1.narrow(0, from, count),
        scale2.narrow(0, from, count),
        shift1.narrow(0, from, count),
        shift2.narrow(0, from, count));
  }
}
