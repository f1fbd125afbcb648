package io.bitloom.worker.tokenizer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Resize;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Bitwise self-correction (section 3.4 of the paper): the transformer trains on inputs in which
 * bits were flipped at random, and on labels that make up for the flips, so that it learns to
 * correct its own mistakes.
 */
public final class BitwiseSelfCorrection {
  private final MultiScaleResidualQuantizer quantizer;
  private final Config config;

  /** Self-correction with the quantizer of a tokenizer. */
  public BitwiseSelfCorrection(MultiScaleResidualQuantizer quantizer, Config config) {
    this.quantizer = quantizer;
    this.config = config;
  }

  /**
   * The settings.
   *
   * @param layers number of scales, from the first, whose bits may be flipped
   * @param requantize whether later labels make up for the flips; without it, which is only for
   *     comparison, flipped bits are seen in the inputs and the labels stay those of the picture
   * @param spatialPatchify whether the transformer sees 2×2 features as one token of 4d bits
   */
  public record Config(int layers, boolean requantize, boolean spatialPatchify) {}

  /**
   * What the transformer trains on; D is d, or 4d under spatial patchify.
   *
   * @param inputs the tokens of all scales but the first, (B, L − L₁, D): the running sum, resized
   * @param labels the bits of all scales, (B, L, D)
   * @param margins how far the residual of every label is from the other bit, (B, L, D)
   */
  public record Sample(Tensor inputs, Tensor labels, Tensor margins) {

    /** Only the first scales, as the transformer counts them. */
    public Sample first(List<Scale> scales) {
      long tokens = scales.stream().mapToLong(Scale::tokens).sum();
      return new Sample(
          inputs.narrow(1, 0, tokens - scales.get(0).tokens()).contiguous(),
          labels.narrow(1, 0, tokens).contiguous(),
          margins.narrow(1, 0, tokens).contiguous());
    }

    /** Takes the tensors out of a scope. */
    public Sample keptBy(Scope scope) {
      return new Sample(scope.keep(inputs), scope.keep(labels), scope.keep(margins));
    }
  }

  /**
   * Algorithm 2 of the paper.
   *
   * @param featuresBdHW the encoder's features F
   * @param scales of the tokenizer, that is doubled under spatial patchify
   */
  public Sample correct(Tensor featuresBdHW, List<Scale> scales, Flips flips) {
    Scale full = scales.get(scales.size() - 1);
    List<Tensor> inputs = new ArrayList<>();
    List<Tensor> labels = new ArrayList<>();
    List<Tensor> margins = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      Tensor sum = Tensors.times(featuresBdHW, 0); // F_0^flip (B, d, H, W)
      Tensor unflipped = sum;
      for (int k = 0; k < scales.size(); k++) {
        Tensor missing = featuresBdHW.sub(config.requantize() ? sum : unflipped); // (B, d, H, W)
        Tensor residual = area(missing, scales.get(k)); // (B, d, h, w)
        Tensor bits = quantizer.bits(residual); // R_k (B, h, w, d)
        labels.add(tokens(bits.permute(0, 3, 1, 2)));
        margins.add(tokens(residual.abs()));
        unflipped = unflipped.add(trilinear(quantizer.codes(bits), full)); // (B, d, H, W)
        if (k < config.layers()) {
          bits = bits.bitwise_xor(Tensors.to(flips.mask(k, bits), DType.U8)); // R_k^flip
        }
        sum = sum.add(trilinear(quantizer.codes(bits), full)); // F_k^flip (B, d, H, W)
        if (k + 1 < scales.size()) {
          inputs.add(tokens(trilinear(sum, scales.get(k + 1)))); // F̃_k
        }
      }
      Tensor noInputs = tokens(featuresBdHW).narrow(1, 0, 0);
      return new Sample(
              inputs.isEmpty() ? noInputs : Tensors.concat(inputs, 1),
              Tensors.concat(labels, 1),
              Tensors.concat(margins, 1))
          .keptBy(scope);
    }
  }

  /** A feature map (B, d, h, w) as tokens in row-major order, (B, L, D). */
  private Tensor tokens(Tensor mapBdhw) {
    Tensor map = config.spatialPatchify() ? Resize.pixelUnshuffle(mapBdhw, 2) : mapBdhw;
    return map.flatten(2, 3).transpose(1, 2); // (B, L, D)
  }

  private static Tensor area(Tensor xBdHW, Scale to) {
    return Resize.area(xBdHW, to.height(), to.width());
  }

  private static Tensor trilinear(Tensor xBdhw, Scale to) {
    return Resize.trilinear(xBdhw, to.height(), to.width());
  }
}
