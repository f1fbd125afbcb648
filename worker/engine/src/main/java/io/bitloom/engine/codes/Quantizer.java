package io.bitloom.engine.codes;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Maps what is left of the features at a scale, the residual, to the nearest of finitely many codes
 * (Q of Algorithm 1). What a cell became is written as digits: d bits for the binary quantizers,
 * one digit per channel for FSQ, one number for VQ.
 *
 * <p>A quantizer belongs to the device thread.
 */
public sealed interface Quantizer extends AutoCloseable
    permits BinarySphericalQuantizer, LookupFreeQuantizer, FiniteScalarQuantizer, VectorQuantizer {

  /** The digits (B, h, w, n) of a residual (B, d, h, w): bytes where they are bits, else int64. */
  Tensor digits(Tensor residualBdhw);

  /** The codes (B, d, h, w) of digits (B, h, w, n), in float32. */
  Tensor codes(Tensor digitsBhwn);

  /**
   * A residual as training quantizes it.
   *
   * @param codes (B, d, h, w), with straight-through gradients
   * @param digits (B, h, w, n)
   * @param tokenEntropy mean entropy of the cells' soft assignments, E[H(q(z))], in nats; 0 for
   *     quantizers without an entropy penalty
   * @param codebookEntropy entropy of the mean assignment, H(E[q(z)]), in nats; 0 likewise
   * @param commitment mean squared distance of the residuals from their codes
   */
  record Quantized(
      Tensor codes,
      Tensor digits,
      Tensor tokenEntropy,
      Tensor codebookEntropy,
      Tensor commitment) {}

  /** Quantizes a residual (B, d, h, w); gradients pass straight through the rounding. */
  Quantized quantize(Tensor residualBdhw);

  /** How many values each digit can take; n numbers. */
  int[] radices();

  /** Adapts what is learnt without gradients to the residuals (N, d) of a step of training. */
  default void learn(Tensor residualsNd) {}

  /** What belongs into a checkpoint, by name; tensors stay the quantizer's. */
  default Map<String, Tensor> state() {
    return Map.of();
  }

  @Override
  default void close() {}
}
