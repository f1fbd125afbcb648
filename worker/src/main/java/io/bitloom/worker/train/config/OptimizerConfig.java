package io.bitloom.worker.train.config;

import io.bitloom.worker.train.optim.AdamW;
import io.bitloom.worker.train.optim.LearningRate;
import io.bitloom.worker.train.optim.Muon;

/**
 * The section {@code optimizer}.
 *
 * @param adamW constants of AdamW
 * @param muon constants of Muon, which takes the matrices of the blocks; null where AdamW does
 * @param learningRate over the run
 * @param clip largest global norm of the gradients; 0 for no clipping
 * @param averageDecay decay of the moving average of the weights
 */
public record OptimizerConfig(
    AdamW.Settings adamW,
    Muon.Settings muon,
    LearningRate learningRate,
    double clip,
    double averageDecay) {

  /** Values of {@code type}. */
  private enum Type {
    ADAMW,
    MUON
  }

  /**
   * Reads the section.
   *
   * @param learningRate where the file says nothing
   */
  public static OptimizerConfig of(YamlFields yaml, double learningRate) {
    AdamW.Settings reference = AdamW.Settings.REFERENCE;
    double peak = yaml.number("learning_rate", learningRate, 1e-12, 10);
    return new OptimizerConfig(
        new AdamW.Settings(
            yaml.number("beta1", reference.beta1(), 0, 0.9999),
            yaml.number("beta2", reference.beta2(), 0, 0.99999),
            yaml.number("eps", reference.eps(), 0, 1),
            yaml.number("weight_decay", reference.weightDecay(), 0, 10)),
        muon(yaml, peak),
        new LearningRate(
            peak,
            yaml.choice("schedule", LearningRate.Shape.CONSTANT),
            yaml.count("warmup_steps", 0, 0),
            yaml.number("first_fraction", 0.005, 0, 1),
            yaml.number("last_fraction", 1, 0, 1)),
        yaml.number("clip", 5, 0, 1e9),
        yaml.number("ema_decay", 0.9999, 0, 1));
  }

  private static Muon.Settings muon(YamlFields yaml, double peak) {
    if (yaml.choice("type", Type.ADAMW) == Type.ADAMW) {
      return null;
    }
    return new Muon.Settings(
        yaml.number("matrix_learning_rate", 0.02, 1e-12, 10) / peak,
        yaml.number("momentum", 0.95, 0, 0.9999));
  }
}
