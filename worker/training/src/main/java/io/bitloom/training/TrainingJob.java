package io.bitloom.training;

import io.bitloom.training.distributed.Processes;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.RunConfig;
import io.bitloom.training.run.TrainingData;
import java.io.IOException;

/** A training that a configuration file describes. */
public interface TrainingJob {
  /** The fields that every kind of training has. */
  RunConfig run();

  /** Settings that a resumed run must share with the interrupted one, a line each. */
  String identity();

  /**
   * Loads what is trained; on the device's thread.
   *
   * @throws IOException if a file cannot be read
   */
  Learner learner(Processes processes) throws IOException;

  /**
   * Looks at the training data.
   *
   * @throws IOException if a file cannot be read
   */
  TrainingData data() throws IOException;
}
