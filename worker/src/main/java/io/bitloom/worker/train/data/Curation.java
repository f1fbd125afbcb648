package io.bitloom.worker.train.data;

import java.util.List;
import java.util.Optional;

/**
 * Which samples are good enough, by the numbers in their columns: aesthetic score, text-in-image
 * score, watermark score, size, or whatever else the caption file has.
 *
 * @param thresholds all of which a sample has to pass
 */
public record Curation(List<Threshold> thresholds) {
  /** Copies the list. */
  public Curation {
    thresholds = List.copyOf(thresholds);
  }

  /**
   * Bounds of a column; a sample without the column does not pass.
   *
   * @param column its name
   * @param least smallest value that passes
   * @param most largest value that passes
   */
  public record Threshold(String column, double least, double most) {}

  /** Why a sample is left out; empty if it is good enough. */
  Optional<String> fault(CaptionLine line) {
    for (Threshold threshold : thresholds) {
      Double value = line.columns().get(threshold.column());
      if (value == null) {
        return Optional.of(threshold.column() + " is missing");
      }
      if (!(value >= threshold.least())) {
        return Optional.of(threshold.column() + " is below " + threshold.least());
      }
      if (value > threshold.most()) {
        return Optional.of(threshold.column() + " is above " + threshold.most());
      }
    }
    return Optional.empty();
  }
}
