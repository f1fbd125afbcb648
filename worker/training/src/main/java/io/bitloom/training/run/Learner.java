package io.bitloom.training.run;

import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.data.SampleBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a run trains: a transformer or a tokenizer with its optimizer. All calls come from the
 * device's thread. Whatever a step draws at random follows from the run's seed and the numbers of
 * batch and samples, so the tensors below are all of its state.
 */
public interface Learner extends AutoCloseable {
  /** One step of the optimizer on a batch. */
  StepReport step(SampleBatch batch);

  /** All tensors that change: file name to tensors. They are the learner's own. */
  Map<String, Weights> tensors();

  /** Steps of the optimizer so far, those of the run that were not applied left out. */
  long optimizerSteps();

  /** Goes on from stored tensors. */
  void restore(Map<String, Weights> stored, long optimizerSteps);

  /**
   * Measures on pictures that are not trained on.
   *
   * @return numbers by name; {@code loss} is what the best checkpoint has the least of
   */
  Map<String, Double> validate(List<SampleBatch> batches);

  /** Pictures that show how far the training is. */
  List<RgbImage> pictures();

  /**
   * Writes what the worker loads into an empty folder.
   *
   * @throws IOException if it cannot be written
   */
  void export(Path folder) throws IOException;

  @Override
  void close();
}
