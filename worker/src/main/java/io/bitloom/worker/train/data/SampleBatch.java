package io.bitloom.worker.train.data;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;

/**
 * Samples of one schedule.
 *
 * @param number of the batch in the run, from 0
 * @param schedule of all samples
 * @param samples those whose pictures could be read; may be empty
 */
public record SampleBatch(long number, ScaleSchedule schedule, List<Sample> samples) {
  /** Copies the list. */
  public SampleBatch {
    samples = List.copyOf(samples);
  }

  /** Image tokens of all samples. */
  public long tokens() {
    return (long) samples.size() * schedule.tokens();
  }
}
