package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The multi-scale residual quantizer (section 3.2 of the paper): at every scale it quantizes what
 * the scales before have not yet explained; the sum of all codes is what the decoder reads. With
 * BSQ it is Infinity's, with scales of one size and a codebook for each it is RVQ, with one scale
 * plain quantization.
 *
 * <p>Letters as in the paper: F the features, R_k the digits of scale k, F_k the sum of the
 * upsampled codes of the first k scales. Scales are counted in cells, that is doubled under spatial
 * patchify, and the last one has the features' size.
 */
public final class ResidualQuantizer implements AutoCloseable {
  private final List<Quantizer> levels;

  /**
   * A quantizer per scale, or one for all scales.
   *
   * @throws IllegalArgumentException if there is none
   */
  public ResidualQuantizer(List<Quantizer> levels) {
    if (levels.isEmpty()) {
      throw new IllegalArgumentException("a residual quantizer needs at least one level");
    }
    this.levels = List.copyOf(levels);
  }

  /** That of the released tokenizers: d bits of BSQ, the same at all scales. */
  public static ResidualQuantizer ofBits(int d) {
    return new ResidualQuantizer(List.of(new BinarySphericalQuantizer(d)));
  }

  /** Q of Algorithm 1. */
  @FunctionalInterface
  interface Quantization {
    /** The codes of R_k (B, d, h, w), for the residual at scale k, down(F − F_{k−1}). */
    Tensor codes(int k, Tensor residualBdhw);
  }

  /** Is shown the sums. */
  @FunctionalInterface
  interface SumObserver {
    /** F_k (B, d, H, W). */
    void summed(int k, Tensor summedBdHW);
  }

  /**
   * Algorithm 1 of the paper, whatever Q is: R_k = Q(down(F − F_{k−1})), F_k = F_{k−1} + up(R_k).
   * All tensors belong to the scope that is open.
   *
   * @param featuresBdHW F
   * @return F_K (B, d, H, W), without gradients but those of the codes
   */
  static Tensor scaleByScale(
      Tensor featuresBdHW, List<Scale> scales, Quantization q, SumObserver observer) {
    Scale full = scales.get(scales.size() - 1);
    Tensor sum = Tensors.times(featuresBdHW.detach(), 0); // F_0 (B, d, H, W)
    for (int k = 0; k < scales.size(); k++) {
      Tensor residual = Resampling.down(featuresBdHW.sub(sum), scales.get(k)); // (B, d, h, w)
      Tensor codes = q.codes(k, residual); // of R_k (B, d, h, w)
      sum = sum.add(Resampling.up(codes, full)); // F_k (B, d, H, W)
      observer.summed(k, sum);
    }
    return sum;
  }

  /**
   * Features as digits.
   *
   * @param digits R_k of every scale, (B, h, w, n)
   * @param sums F_k of every scale, (B, d, H, W)
   */
  public record Encoding(List<Tensor> digits, List<Tensor> sums) {
    /** F_K (B, d, H, W): what the decoder reads. */
    public Tensor summedCodes() {
      return sums.get(sums.size() - 1);
    }
  }

  /** The digits of features F (B, d, H, W), in float32 whatever the features are; no gradients. */
  public Encoding encode(Tensor featuresBdHW, List<Scale> scales) {
    requireLevels(scales.size());
    List<Tensor> digits = new ArrayList<>();
    List<Tensor> sums = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      scaleByScale(
          Tensors.to(featuresBdHW.detach(), DType.F32),
          scales,
          (k, residual) -> {
            Tensor digitsBhwn = level(k).digits(residual); // R_k
            digits.add(scope.keep(digitsBhwn));
            return level(k).codes(digitsBhwn);
          },
          (k, sum) -> sums.add(scope.keep(sum)));
      return new Encoding(digits, sums);
    }
  }

  /** The inverse: F_K (B, d, H, W) of the digits of all scales. */
  public Tensor sum(List<Tensor> digits) {
    try (Scope scope = Scope.open()) {
      return scope.keep(sum(digits, (k, sum) -> {}));
    }
  }

  /** {@link #sum(List)} in the scope that is open, showing every F_k. */
  Tensor sum(List<Tensor> digits, SumObserver observer) {
    Tensor last = digits.get(digits.size() - 1);
    Scale full = new Scale((int) last.size(1), (int) last.size(2));
    Tensor sum = none(digits.get(0), full); // F_0 (B, d, H, W)
    for (int k = 0; k < digits.size(); k++) {
      sum = sum.add(upsampled(digits.get(k), k, full)); // F_k (B, d, H, W)
      observer.summed(k, sum);
    }
    return sum;
  }

  private Tensor none(Tensor digitsBhwn, Scale full) {
    Tensor codes = level(0).codes(digitsBhwn); // (B, d, h, w)
    return codes.new_zeros(codes.size(0), codes.size(1), full.height(), full.width());
  }

  /** What digits R_k (B, h, w, n) add to the sum: their codes at full size (B, d, H, W). */
  Tensor upsampled(Tensor digitsBhwn, int k, Scale full) {
    return Resampling.up(level(k).codes(digitsBhwn), full);
  }

  /**
   * Features as training quantizes them. As in VAR (arXiv 2404.02905), the gradient of the sum goes
   * to the features unchanged, and the commitment draws the features to the sum after every scale.
   *
   * @param summedCodes F_K (B, d, H, W), with straight-through gradients
   * @param digits R_k of every scale, (B, h, w, n)
   * @param tokenEntropy mean over scales of E[H(q(z))], in nats
   * @param codebookEntropy mean over scales of H(E[q(z)]), in nats
   * @param commitment mean over scales of the squared distance of F from F_k
   */
  public record Quantized(
      Tensor summedCodes,
      List<Tensor> digits,
      Tensor tokenEntropy,
      Tensor codebookEntropy,
      Tensor commitment) {

    /** What training adds to its loss. */
    public Tensor penalty(QuantizerConfig config) {
      return Tensors.times(commitment, config.commitmentWeight())
          .add(
              Tensors.times(
                  tokenEntropy.sub(Tensors.times(codebookEntropy, config.codebookEntropyWeight())),
                  config.entropyWeight()));
    }

    private Quantized keptBy(Scope scope) {
      return new Quantized(
          scope.keep(summedCodes),
          digits.stream().map(scope::keep).toList(),
          scope.keep(tokenEntropy),
          scope.keep(codebookEntropy),
          scope.keep(commitment));
    }
  }

  /** Quantizes features (B, d, H, W); differentiable. */
  public Quantized quantize(Tensor featuresBdHW, List<Scale> scales) {
    try (Scope scope = Scope.open()) {
      return quantize(featuresBdHW, scales, new ArrayList<>()).keptBy(scope);
    }
  }

  /** {@link #quantize}, and lets the levels learn from what they see. */
  public Quantized train(Tensor featuresBdHW, List<Scale> scales) {
    try (Scope scope = Scope.open()) {
      List<Tensor> residuals = new ArrayList<>(); // per scale, (N, d)
      Quantized quantized = quantize(featuresBdHW, scales, residuals);
      learn(residuals);
      return quantized.keptBy(scope);
    }
  }

  private Quantized quantize(Tensor featuresBdHW, List<Scale> scales, List<Tensor> residuals) {
    requireLevels(scales.size());
    List<Quantizer.Quantized> found = new ArrayList<>();
    List<Tensor> distances = new ArrayList<>();
    Tensor sum =
        scaleByScale(
            featuresBdHW,
            scales,
            (k, residual) -> {
              Quantizer.Quantized quantized = level(k).quantize(residual);
              found.add(quantized);
              residuals.add(Rows.of(residual.detach()));
              return quantized.codes().detach();
            },
            (k, summed) -> distances.add(Rows.distance(featuresBdHW, summed)));
    Tensor zero = Rows.zero(featuresBdHW);
    return new Quantized(
        Rows.straightThrough(featuresBdHW, sum),
        found.stream().map(Quantizer.Quantized::digits).toList(),
        mean(zero, found.stream().map(Quantizer.Quantized::tokenEntropy).toList()),
        mean(zero, found.stream().map(Quantizer.Quantized::codebookEntropy).toList()),
        mean(zero, distances));
  }

  private static Tensor mean(Tensor zero, List<Tensor> scalars) {
    Tensor sum = zero;
    for (Tensor scalar : scalars) {
      sum = sum.add(scalar);
    }
    return Tensors.times(sum, 1.0 / scalars.size());
  }

  /** A quantizer that all scales share learns from all of them at once. */
  private void learn(List<Tensor> residuals) {
    if (levels.size() == 1) {
      levels.get(0).learn(Tensors.concat(residuals, 0));
      return;
    }
    for (int k = 0; k < levels.size(); k++) {
      levels.get(k).learn(residuals.get(k));
    }
  }

  private void requireLevels(int scales) {
    if (levels.size() != 1 && levels.size() != scales) {
      throw new IllegalArgumentException(
          "quantizer: has " + levels.size() + " levels, got " + scales + " scales");
    }
  }

  /** The quantizer of a scale. */
  public Quantizer level(int k) {
    return levels.get(levels.size() == 1 ? 0 : k);
  }

  /** What belongs into a checkpoint: {@code levels.0.codebook} and so on. */
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    for (int k = 0; k < levels.size(); k++) {
      String prefix = "levels." + k + ".";
      levels.get(k).state().forEach((name, tensor) -> state.put(prefix + name, tensor));
    }
    return state;
  }

  @Override
  public void close() {
    levels.forEach(Quantizer::close);
  }
}
