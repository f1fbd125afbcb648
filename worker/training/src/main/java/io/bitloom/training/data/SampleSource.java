package io.bitloom.training.data;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;

/**
 * Captioned pictures, grouped by the scale schedule that fits their shape. Any thread may ask for
 * samples.
 */
public interface SampleSource {
  /** The schedules that there are samples of, always in the same order. */
  List<ScaleSchedule> schedules();

  /** Samples of a schedule. */
  int count(ScaleSchedule schedule);

  /** A sample of a schedule by its number. */
  CaptionedPicture sample(ScaleSchedule schedule, int index);

  /** What was left out, and why; grows while damaged pictures are met. */
  DropReport report();
}
