package io.bitloom.training.optim;

import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.FieldFault;

/**
 * The section {@code optimizer}.
 *
 * @param type AdamW, or Muon for the matrices of the blocks
 * @param learningRate highest rate; null for that of the mode
 * @param matrixLearningRate of Muon; null for {@value #MATRIX_LEARNING_RATE}
 * @param momentum of Muon; null for {@value #MOMENTUM}
 * @param schedule how the rate goes down
 * @param warmupSteps until the highest rate
 * @param firstFraction of the highest rate, at the first step of the warm-up
 * @param lastFraction of the highest rate, at the last step
 * @param beta1 of AdamW, as the three that follow
 * @param beta2 decay of the mean of squared gradients
 * @param eps added to the root of the squares
 * @param weightDecay fraction of a weight
 * @param clip largest global norm of the gradients; 0 for no clipping
 * @param emaDecay decay of the moving average of the weights
 */
public record OptimizerConfig(
    @ConfigField("adamw") Type type,
    @ConfigField(least = 1e-12, most = 10) Double learningRate,
    @ConfigField(least = 1e-12, most = 10) Double matrixLearningRate,
    @ConfigField(most = 0.9999) Double momentum,
    @ConfigField("constant") LearningRate.Shape schedule,
    @ConfigField("0") int warmupSteps,
    @ConfigField(value = "0.005", most = 1) double firstFraction,
    @ConfigField(value = "1", most = 1) double lastFraction,
    @ConfigField(value = "0.9", most = 0.9999) double beta1,
    @ConfigField(value = "0.97", most = 0.99999) double beta2,
    @ConfigField(value = "1e-8", most = 1) double eps,
    @ConfigField(value = "0.005", most = 10) double weightDecay,
    @ConfigField(value = "5", most = 1e9) double clip,
    @ConfigField(value = "0.9999", most = 1) double emaDecay) {
  private static final double MATRIX_LEARNING_RATE = 0.02;
  private static final double MOMENTUM = 0.95;

  /** What moves the matrices. */
  public enum Type {
    /** {@link AdamW}, as all else. */
    ADAMW,
    /** {@link Muon}. */
    MUON
  }

  /**
   * @throws FieldFault if there is a field of Muon, and no Muon
   */
  public OptimizerConfig {
    if (type != Type.MUON && matrixLearningRate != null) {
      throw new FieldFault("matrix_learning_rate", "is for type: muon only");
    }
    if (type != Type.MUON && momentum != null) {
      throw new FieldFault("momentum", "is for type: muon only");
    }
  }

  /** The constants of AdamW. */
  public AdamW.Settings adamW() {
    return new AdamW.Settings(beta1, beta2, eps, weightDecay);
  }

  /**
   * The constants of Muon; null where AdamW takes all parameters.
   *
   * @param peak as for {@link #rate}
   */
  public Muon.Settings muon(double peak) {
    if (type != Type.MUON) {
      return null;
    }
    double matrices = matrixLearningRate == null ? MATRIX_LEARNING_RATE : matrixLearningRate;
    return new Muon.Settings(matrices / rate(peak).peak(), momentum == null ? MOMENTUM : momentum);
  }

  /**
   * The learning rate over the run.
   *
   * @param peak where the file says nothing
   */
  public LearningRate rate(double peak) {
    return new LearningRate(
        learningRate == null ? peak : learningRate,
        schedule,
        warmupSteps,
        firstFraction,
        lastFraction);
  }
}
