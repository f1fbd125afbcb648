package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Bitwise self-correction (section 3.4 of the paper): the transformer trains on inputs in which
 * bits were flipped at random, and on labels that make up for the flips, so that it learns to
 * correct its own mistakes.
 */
public final class BitwiseSelfCorrection {
  private final ResidualQuantizer quantizer;
  private final Config config;
  private final TokenLayout layout;

  /**
   * Self-correction with the quantizer of a tokenizer.
   *
   * @throws IllegalArgumentException if its digits are not bits
   */
  public BitwiseSelfCorrection(ResidualQuantizer quantizer, Config config) {
    int[] radices = quantizer.level(0).radices();
    if (Arrays.stream(radices).anyMatch(radix -> radix != 2)) {
      throw new IllegalArgumentException(
          "self-correction turns bits over, the quantizer has digits of "
              + Arrays.toString(radices)
              + " values");
    }
    this.quantizer = quantizer;
    this.config = config;
    layout = new TokenLayout(config.spatialPatchify());
  }

  /**
   * The settings.
   *
   * @param layers number of scales, from the first, whose bits may be flipped
   * @param requantize whether later labels make up for the flips; without it, which is only for
   *     comparison, flipped bits are seen in the inputs and the labels stay those of the picture
   * @param spatialPatchify whether the transformer sees 2×2 cells as one token of 4d bits
   */
  public record Config(int layers, boolean requantize, boolean spatialPatchify) {
    /** No scale is flipped, to evaluate with: the labels are the tokenizer's own bits. */
    public static Config withoutFlips(boolean spatialPatchify) {
      return new Config(0, true, spatialPatchify);
    }
  }

  /**
   * What the transformer trains on; D is d, or 4d under spatial patchify.
   *
   * @param inputs F̃_k, the tokens of all scales but the first, (B, L − L₁, D)
   * @param labels the bits of all scales, (B, L, D)
   * @param margins how far the residual of every label is from the other bit, (B, L, D)
   */
  public record Corrected(Tensor inputs, Tensor labels, Tensor margins) {

    /** Only the first scales, as the transformer counts them. */
    public Corrected first(List<Scale> scales) {
      long tokens = scales.stream().mapToLong(Scale::tokens).sum();
      return new Corrected(
          inputs.narrow(1, 0, tokens - scales.get(0).tokens()).contiguous(),
          labels.narrow(1, 0, tokens).contiguous(),
          margins.narrow(1, 0, tokens).contiguous());
    }

    /** Takes the tensors out of a scope. */
    public Corrected keptBy(Scope scope) {
      return new Corrected(scope.keep(inputs), scope.keep(labels), scope.keep(margins));
    }
  }

  /**
   * Algorithm 2 of the paper: Algorithm 1 in which R_k is the label and R_k^flip, with bits turned
   * over at random, is what the sum F_k^flip is made of, which later labels make up for.
   *
   * @param featuresBdHW the encoder's features F
   * @param scales counted in cells, that is doubled under spatial patchify
   */
  public Corrected correct(Tensor featuresBdHW, List<Scale> scales, Flips flips) {
    List<Tensor> labels = new ArrayList<>();
    List<Tensor> margins = new ArrayList<>();
    List<Tensor> flipped = new ArrayList<>();
    List<Tensor> inputs = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      ResidualQuantizer.Quantization q =
          (k, residual) -> {
            Tensor bits = quantizer.level(k).digits(residual); // R_k (B, h, w, d)
            labels.add(layout.tokens(bits.permute(0, 3, 1, 2)));
            margins.add(layout.tokens(Tensors.abs(residual)));
            flipped.add(flipped(bits, k, flips)); // R_k^flip (B, h, w, d)
            return quantizer.level(k).codes(config.requantize() ? flipped.get(k) : bits);
          };
      ResidualQuantizer.SumObserver input =
          (k, sum) -> { // F_k^flip (B, d, H, W)
            if (k + 1 < scales.size()) {
              inputs.add(layout.nextInput(sum, scales.get(k + 1))); // F̃_k
            }
          };
      if (config.requantize()) {
        ResidualQuantizer.scaleByScale(featuresBdHW, scales, q, input);
      } else {
        ResidualQuantizer.scaleByScale(featuresBdHW, scales, q, (k, unflippedSum) -> {});
        quantizer.sum(flipped, input);
      }
      Tensor noInputs = layout.tokens(featuresBdHW).narrow(1, 0, 0);
      return new Corrected(
              inputs.isEmpty() ? noInputs : Tensors.concat(inputs, 1),
              Tensors.concat(labels, 1),
              Tensors.concat(margins, 1))
          .keptBy(scope);
    }
  }

  private Tensor flipped(Tensor bits, int k, Flips flips) {
    return k < config.layers() ? bits.bitwise_xor(Tensors.to(flips.mask(k, bits), DType.U8)) : bits;
  }
}
