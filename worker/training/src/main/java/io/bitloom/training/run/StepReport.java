package io.bitloom.training.run;

import java.util.Map;

/**
 * What a training step did.
 *
 * @param applied false where loss or gradients were no finite numbers, or there was nothing to
 *     learn from, and the weights were left alone
 * @param loss of the whole batch
 * @param gradientNorm over all parameters, before clipping
 * @param samples pictures of the whole batch
 * @param tokens image tokens of the whole batch
 * @param flops floating-point operations of the model that the batch needs, forwards and backwards
 * @param recomputedFlops operations that were done a second time, to save memory
 * @param scalars further numbers by name, such as {@code loss/scale_3}
 */
public record StepReport(
    boolean applied,
    double loss,
    double gradientNorm,
    int samples,
    long tokens,
    double flops,
    double recomputedFlops,
    Map<String, Double> scalars) {
  /** A step without anything to learn from. */
  public static StepReport nothing() {
    return new StepReport(false, Double.NaN, Double.NaN, 0, 0, 0, 0, Map.of());
  }
}
