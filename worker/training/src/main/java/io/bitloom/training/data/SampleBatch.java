package io.bitloom.training.data;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.ArrayList;
import java.util.List;

/**
 * Samples of one schedule.
 *
 * @param number of the batch in the run, from 0
 * @param schedule of all samples
 * @param samples those whose pictures could be read; may be empty
 */
public record SampleBatch(long number, ScaleSchedule schedule, List<TrainingSample> samples) {
  /** Copies the list. */
  public SampleBatch {
    samples = List.copyOf(samples);
  }

  /**
   * Some of the batch's samples in parts, in their order.
   *
   * @param share those that this process learns from
   * @param tokens image tokens of a part; at least one sample is in each
   */
  public List<List<TrainingSample>> parts(List<TrainingSample> share, int tokens) {
    int size = Math.max(1, tokens / schedule.tokens());
    List<List<TrainingSample>> parts = new ArrayList<>();
    for (int from = 0; from < share.size(); from += size) {
      parts.add(share.subList(from, Math.min(share.size(), from + size)));
    }
    return parts;
  }

  /** Image tokens of all samples. */
  public long tokens() {
    return (long) samples.size() * schedule.tokens();
  }
}
