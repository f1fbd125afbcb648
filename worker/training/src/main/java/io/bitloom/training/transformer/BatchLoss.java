package io.bitloom.training.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.run.Readings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Loss and bit accuracy of a batch, in all and per scale, gathered part by part. */
final class BatchLoss {
  private final List<Scale> scales;
  private final Readings readings;
  private final double[] lossPerScale;
  private final double[] rightPerScale;
  private double loss;
  private double samples;
  private double samplesWithBits;

  /**
   * @param readings takes what parts add; the sums are there once these are delivered
   */
  BatchLoss(List<Scale> scales, Readings readings) {
    this.readings = readings;
    this.scales = scales;
    this.lossPerScale = new double[scales.size()];
    this.rightPerScale = new double[scales.size()];
  }

  /**
   * Adds a part.
   *
   * @param partLoss the part's share in the loss of the batch, a scalar
   * @param perTokenBL loss of every token (B, L)
   */
  void add(Tensor partLoss, Tensor perTokenBL) {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      readings.add(partLoss, value -> loss += value[0]);
      samples += perTokenBL.size(0);
      addPerScale(perTokenBL, lossPerScale);
    }
  }

  /** Adds how many bits of a part are predicted: logits (B, L, 2d) and bits (B, L, d). */
  void addBits(Tensor logitsBLV, Tensor bitsBLd) {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      long[] shape = bitsBLd.shape(); // (B, L, d)
      Tensor pairs = logitsBLV.view(shape[0], shape[1], shape[2], 2);
      Tensor right = pairs.select(-1, 1).gt(pairs.select(-1, 0)).eq(bitsBLd); // (B, L, d)
      samplesWithBits += shape[0];
      addPerScale(Tensors.to(right, DType.F32).mean(-1), rightPerScale);
    }
  }

  /** Adds, per scale, the sum over samples of the mean over its tokens. */
  private void addPerScale(Tensor valuesBL, double[] sums) {
    readings.add(valuesBL.sum(0L), perToken -> addPerScale(perToken, sums));
  }

  private void addPerScale(double[] perToken, double[] sums) {
    int token = 0;
    for (int k = 0; k < sums.length; k++) {
      double sum = 0;
      for (int i = 0; i < scales.get(k).tokens(); i++) {
        sum += perToken[token++];
      }
      sums[k] += sum / scales.get(k).tokens();
    }
  }

  /** Adds the parts of the other processes. */
  void sum(Processes processes) {
    int count = scales.size();
    double[] all = new double[2 * count + 3];
    System.arraycopy(lossPerScale, 0, all, 0, count);
    System.arraycopy(rightPerScale, 0, all, count, count);
    all[2 * count] = loss;
    all[2 * count + 1] = samples;
    all[2 * count + 2] = samplesWithBits;
    double[] sums = processes.sum(all);
    System.arraycopy(sums, 0, lossPerScale, 0, count);
    System.arraycopy(sums, count, rightPerScale, 0, count);
    loss = sums[2 * count];
    samples = sums[2 * count + 1];
    samplesWithBits = sums[2 * count + 2];
  }

  /** The loss of the whole batch. */
  double loss() {
    return loss;
  }

  /** Image tokens of the whole batch. */
  long tokens() {
    return Math.round(samples * scales.stream().mapToLong(Scale::tokens).sum());
  }

  /** {@code loss/scale_k} and {@code bit_accuracy/scale_k} (k from 1), and {@code bit_accuracy}. */
  Map<String, Double> scalars() {
    Map<String, Double> scalars = new LinkedHashMap<>();
    for (int k = 0; k < scales.size(); k++) {
      scalars.put("loss/scale_" + (k + 1), lossPerScale[k] / samples);
    }
    if (samplesWithBits > 0) {
      double right = 0;
      double tokens = 0;
      for (int k = 0; k < scales.size(); k++) {
        scalars.put("bit_accuracy/scale_" + (k + 1), rightPerScale[k] / samplesWithBits);
        right += rightPerScale[k] / samplesWithBits * scales.get(k).tokens();
        tokens += scales.get(k).tokens();
      }
      scalars.put("bit_accuracy", right / tokens);
    }
    return scalars;
  }
}
