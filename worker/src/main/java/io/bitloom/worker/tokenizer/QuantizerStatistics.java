package io.bitloom.worker.tokenizer;

import io.bitloom.worker.tensor.Nn;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What binary spherical quantization is trained with (arXiv 2406.07548, section 3.2): how sure the
 * bits of a token are, how evenly the bits are used, and how far the features are from their codes.
 *
 * @param tokenEntropy mean over tokens of the summed entropies of their bits, E[H(q(z))]; a scalar
 * @param codebookEntropy summed entropies of the bits averaged over tokens, H(E[q(z)]); a scalar
 * @param averageProbability of each bit to be 0 and 1, averaged over tokens, (d, 2)
 * @param commitment mean squared distance of the normalised features from their codes; a scalar
 */
public record QuantizerStatistics(
    Tensor tokenEntropy, Tensor codebookEntropy, Tensor averageProbability, Tensor commitment) {
  private static final double INVERSE_TEMPERATURE = 100;
  private static final double LOG_EPS = 1e-8;

  /** The statistics of one quantizer level on features (B, d, h, w); differentiable. */
  public static QuantizerStatistics of(Tensor featuresBdhw, MultiScaleResidualQuantizer quantizer) {
    try (Scope scope = Scope.open()) {
      long d = featuresBdhw.size(1);
      Tensor z = featuresBdhw.permute(0, 2, 3, 1).reshape(-1, d); // (N, d)
      z = Nn.l2Normalize(z, 1);
      Tensor zero =
          torch.sigmoid(Tensors.times(z, -4 * INVERSE_TEMPERATURE / Math.sqrt(d))); // (N, d)
      Tensor one = Tensors.plus(zero.neg(), 1); // (N, d)
      Tensor probability = torch.stack(new TensorVector(zero, one), -1); // (N, d, 2)
      Tensor average = probability.mean(0L); // (d, 2)
      Tensor codes =
          quantizer.codes(quantizer.bits(featuresBdhw)).permute(0, 2, 3, 1).reshape(-1, d);
      return new QuantizerStatistics(
          scope.keep(entropy(probability).sum(-1L).mean()),
          scope.keep(entropy(average).sum()),
          scope.keep(average),
          scope.keep(z.sub(codes).square().mean()));
    }
  }

  /** −Σ p·ln p along the last axis. */
  private static Tensor entropy(Tensor p) {
    return p.mul(Tensors.plus(p, LOG_EPS).log()).sum(-1L).neg();
  }
}
