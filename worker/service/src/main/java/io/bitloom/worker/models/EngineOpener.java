package io.bitloom.worker.models;

import io.bitloom.engine.Engine;
import io.bitloom.engine.modeldir.ModelDirectory;

/** How a worker loads a model: with its settings, onto the one thread of its device. */
public interface EngineOpener {

  /**
   * Bytes that a model will take in memory.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if it cannot be used
   */
  long memory(ModelDirectory directory);

  /**
   * Loads a model and draws one image with it.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if it cannot be used
   */
  Engine open(ModelDirectory directory);
}
