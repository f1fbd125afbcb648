package io.bitloom.worker.tokenizer.quantizer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.tensor.Resize;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Quantizes level by level what the levels before have not yet explained; the sum of all codes is
 * what the decoder reads. With scales of growing size this is the multi-scale quantizer of section
 * 3.2 (the same levels as {@code MultiScaleResidualQuantizer} for BSQ), with one size and a
 * codebook per level it is RVQ, with one level plain quantization.
 *
 * <p>As in VAR (arXiv 2404.02905), the gradient of the sum goes to the features unchanged, and the
 * commitment draws the features to the sum after every level.
 */
public final class ResidualQuantizer implements AutoCloseable {
  private final List<Quantizer> levels;

  /**
   * A quantizer per level, or one for all levels.
   *
   * @throws IllegalArgumentException if there is none
   */
  public ResidualQuantizer(List<Quantizer> levels) {
    if (levels.isEmpty()) {
      throw new IllegalArgumentException("a residual quantizer needs at least one level");
    }
    this.levels = List.copyOf(levels);
  }

  /**
   * Quantized features.
   *
   * @param sum of the codes of all levels, (B, d, H, W), with straight-through gradients
   * @param digits per level, (B, h, w, n)
   * @param tokenEntropy mean over levels of E[H(q(z))], in nats
   * @param codebookEntropy mean over levels of H(E[q(z)]), in nats
   * @param commitment mean over levels of the squared distance of the features from the sum so far
   */
  public record Encoding(
      Tensor sum,
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
  }

  /** The quantizer of a level. */
  public Quantizer level(int k) {
    return levels.get(levels.size() == 1 ? 0 : k);
  }

  /** Quantizes features (B, d, H, W); the last scale has their size. Differentiable. */
  public Encoding encode(Tensor featuresBdHW, List<Scale> scales) {
    return run(featuresBdHW, scales, false);
  }

  /** {@link #encode}, and lets the levels learn from what they see. */
  public Encoding train(Tensor featuresBdHW, List<Scale> scales) {
    return run(featuresBdHW, scales, true);
  }

  private Encoding run(Tensor featuresBdHW, List<Scale> scales, boolean learn) {
    if (levels.size() != 1 && levels.size() != scales.size()) {
      throw new IllegalArgumentException(
          "quantizer: has " + levels.size() + " levels, got " + scales.size() + " scales");
    }
    Scale full = scales.get(scales.size() - 1);
    List<Tensor> digits = new ArrayList<>();
    List<Tensor> seen = new ArrayList<>(); // per level, (N, d)
    try (Scope scope = Scope.open()) {
      Tensor sum = Tensors.times(featuresBdHW.detach(), 0); // (B, d, H, W)
      Tensor tokenEntropy = Tokens.zero(featuresBdHW);
      Tensor codebookEntropy = tokenEntropy;
      Tensor commitment = tokenEntropy;
      for (int k = 0; k < scales.size(); k++) {
        Tensor residual = down(featuresBdHW.sub(sum), scales.get(k)); // (B, d, h, w)
        Quantizer.Quantized level = level(k).quantize(residual);
        seen.add(Tokens.rows(residual.detach()));
        sum = sum.add(up(level.codes().detach(), full)); // (B, d, H, W)
        digits.add(scope.keep(level.digits()));
        tokenEntropy = tokenEntropy.add(level.tokenEntropy());
        codebookEntropy = codebookEntropy.add(level.codebookEntropy());
        commitment = commitment.add(Tokens.distance(featuresBdHW, sum));
      }
      if (learn) {
        learn(seen);
      }
      double share = 1.0 / scales.size();
      return new Encoding(
          scope.keep(Tokens.straightThrough(featuresBdHW, sum)),
          digits,
          scope.keep(Tensors.times(tokenEntropy, share)),
          scope.keep(Tensors.times(codebookEntropy, share)),
          scope.keep(Tensors.times(commitment, share)));
    }
  }

  /** A quantizer that all levels share learns from all of them at once. */
  private void learn(List<Tensor> seen) {
    if (levels.size() == 1) {
      levels.get(0).learn(Tensors.concat(seen, 0));
      return;
    }
    for (int k = 0; k < levels.size(); k++) {
      levels.get(k).learn(seen.get(k));
    }
  }

  /** The sum of the codes of all levels, (B, d, H, W) of the last one. */
  public Tensor sum(List<Tensor> digits) {
    Tensor last = digits.get(digits.size() - 1);
    Scale full = new Scale((int) last.size(1), (int) last.size(2));
    try (Scope scope = Scope.open()) {
      Tensor sum = null;
      for (int k = 0; k < digits.size(); k++) {
        Tensor codes = up(level(k).codes(digits.get(k)), full); // (B, d, H, W)
        sum = sum == null ? codes : sum.add(codes);
      }
      return scope.keep(sum);
    }
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

  private static Tensor down(Tensor xBdHW, Scale to) {
    return hasSize(xBdHW, to) ? xBdHW : Resize.area(xBdHW, to.height(), to.width());
  }

  private static Tensor up(Tensor xBdhw, Scale to) {
    return hasSize(xBdhw, to) ? xBdhw : Resize.trilinear(xBdhw, to.height(), to.width());
  }

  private static boolean hasSize(Tensor x, Scale scale) {
    return x.size(2) == scale.height() && x.size(3) == scale.width();
  }
}
