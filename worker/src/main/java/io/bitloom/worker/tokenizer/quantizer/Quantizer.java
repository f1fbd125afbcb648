package io.bitloom.worker.tokenizer.quantizer;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Maps features to the nearest of finitely many codes. What a token became is written as digits: d
 * bits for the binary quantizers, one digit per channel for FSQ, one number for VQ.
 *
 * <p>Gradients pass straight through the rounding. A quantizer belongs to the device thread.
 */
public sealed interface Quantizer extends AutoCloseable
    permits BinarySphericalQuantizer, LookupFreeQuantizer, FiniteScalarQuantizer, VectorQuantizer {

  /**
   * One level of quantization.
   *
   * @param codes (B, d, h, w), with straight-through gradients
   * @param digits (B, h, w, n), I64
   * @param tokenEntropy mean entropy of the tokens' soft assignments, E[H(q(z))], in nats; 0 for
   *     quantizers without an entropy penalty
   * @param codebookEntropy entropy of the mean assignment, H(E[q(z)]), in nats; 0 likewise
   * @param commitment mean squared distance of the features from their codes
   */
  record Quantized(
      Tensor codes,
      Tensor digits,
      Tensor tokenEntropy,
      Tensor codebookEntropy,
      Tensor commitment) {}

  /** Quantizes features (B, d, h, w); differentiable. */
  Quantized quantize(Tensor featuresBdhw);

  /** The codes (B, d, h, w) of digits (B, h, w, n). */
  Tensor codes(Tensor digitsBhwn);

  /** How many values each digit can take; n numbers. */
  int[] radices();

  /** Adapts what is learnt without gradients to the features (N, d) of a step of training. */
  default void learn(Tensor featuresNd) {}

  /** What belongs into a checkpoint, by name; tensors stay the quantizer's. */
  default Map<String, Tensor> state() {
    return Map.of();
  }

  @Override
  default void close() {}
}
