package io.bitloom.training.optim;

import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.distributed.Processes;

/** Changes parameters along the gradients that the last backward passes left on them. */
public interface Optimizer extends AutoCloseable {

  /**
   * An optimizer of the weights that require gradients; they must outlive it.
   *
   * @param muon constants of Muon; null for AdamW alone
   */
  static Optimizer of(
      Weights parameters, AdamW.Settings adamW, Muon.Settings muon, Processes processes) {
    return muon == null
        ? new AdamW(parameters, adamW)
        : new Muon(parameters, muon, adamW, processes);
  }

  /** One step. */
  void step(double learningRate);

  /** Steps taken so far. */
  long steps();

  /** What it remembers of earlier steps, for checkpoints. */
  Weights state();

  /**
   * Goes on where another optimizer of the same parameters and settings stopped.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if a tensor is missing or of another shape
   */
  void restore(Weights stored, long steps);

  @Override
  void close();
}
