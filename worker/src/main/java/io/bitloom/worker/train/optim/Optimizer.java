package io.bitloom.worker.train.optim;

import io.bitloom.worker.tensor.Weights;

/** Changes parameters along the gradients that the last backward passes left on them. */
public interface Optimizer extends AutoCloseable {

  /** One step. */
  void step(double learningRate);

  /** Steps taken so far. */
  long steps();

  /** What it remembers of earlier steps, for checkpoints. */
  Weights state();

  /**
   * Goes on where another optimizer of the same parameters and settings stopped.
   *
   * @throws io.bitloom.worker.tensor.WeightsException if a tensor is missing or of another shape
   */
  void restore(Weights stored, long steps);

  @Override
  void close();
}
