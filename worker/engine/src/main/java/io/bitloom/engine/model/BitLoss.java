package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;

/**
 * The training loss: cross entropy of every bit, summarised per token, weighted per scale.
 *
 * <p>The official reweighting takes the product of a tuple and fails; its intent is done here: a
 * token's weight is √(area of the last scale) / √(area of its scale), and the weights add up to 1.
 */
public final class BitLoss {
  private static final double LEAST_MARGIN = 1e-12;

  private BitLoss() {}

  /**
   * Cross entropy of every bit.
   *
   * @param logitsBLV logits (B, L, 2d)
   * @param bitsBLd bits to predict (B, L, d)
   * @return (B, L, d)
   */
  public static Tensor perBit(Tensor logitsBLV, Tensor bitsBLd) {
    long[] shape = bitsBLd.shape(); // (B, L, d)
    Tensor logProbabilities =
        logitsBLV.view(shape[0], shape[1], shape[2], 2).log_softmax(-1); // (B, L, d, 2)
    Tensor labels = Tensors.to(bitsBLd, DType.I64).unsqueeze(-1); // (B, L, d, 1)
    return logProbabilities.gather(-1, labels).squeeze(-1).neg();
  }

  /**
   * Cross entropy of every token's index: the conventional classifier over 2^d codes.
   *
   * @param logitsBLV logits (B, L, 2^d)
   * @param labelsBL indices to predict (B, L), the first bit the most significant
   * @return (B, L)
   */
  public static Tensor perIndex(Tensor logitsBLV, Tensor labelsBL) {
    Tensor labels = Tensors.to(labelsBL, DType.I64).unsqueeze(-1); // (B, L, 1)
    return logitsBLV.log_softmax(-1).gather(-1, labels).squeeze(-1).neg();
  }

  /**
   * Weight of every bit: the distance of its residual from the other bit, 1 on average over a scale
   * of an image. A wrong bit adds that much to the squared error of the features, so that bits
   * whose residual is next to nothing, which nobody can predict, count for next to nothing.
   *
   * @param marginsBLd absolute residuals (B, L, d)
   * @return (B, L, d)
   */
  public static Tensor byMargin(Tensor marginsBLd, List<Scale> scales) {
    List<Tensor> weights = new ArrayList<>();
    long token = 0;
    for (Scale scale : scales) {
      Tensor margins = marginsBLd.narrow(1, token, scale.tokens()); // (B, h·w, d)
      Tensor mean = margins.mean(new long[] {1, 2}, true, new ScalarTypeOptional()); // (B, 1, 1)
      weights.add(margins.div(mean.clamp_min(new Scalar(LEAST_MARGIN))));
      token += scale.tokens();
    }
    return Tensors.concat(weights, 1);
  }

  /** Weight of every token (L): the same for all. */
  public static double[] uniform(List<Scale> scales) {
    int tokens = scales.stream().mapToInt(Scale::tokens).sum();
    double[] weights = new double[tokens];
    java.util.Arrays.fill(weights, 1.0 / tokens);
    return weights;
  }

  /** Weight of every token (L): larger for the tokens of small scales. */
  public static double[] reweighted(List<Scale> scales) {
    double[] weights = new double[scales.stream().mapToInt(Scale::tokens).sum()];
    double lastArea = scales.get(scales.size() - 1).tokens();
    double sum = 0;
    int token = 0;
    for (Scale scale : scales) {
      double weight = Math.sqrt(lastArea) / Math.sqrt(scale.tokens());
      for (int i = 0; i < scale.tokens(); i++) {
        weights[token++] = weight;
        sum += weight;
      }
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }

  /**
   * The loss of a batch: weighted sum over tokens, mean over images.
   *
   * @param perTokenBL loss of every token (B, L)
   * @param weights weight of every token (L)
   * @return a scalar
   */
  public static Tensor total(Tensor perTokenBL, double[] weights) {
    Tensor weightsL = Tensors.of(weights, TorchDevice.of(perTokenBL), DType.F32, weights.length);
    return perTokenBL.mul(weightsL).sum(new long[] {-1}).mean();
  }
}
