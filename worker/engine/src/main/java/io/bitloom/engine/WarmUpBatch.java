package io.bitloom.engine;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/** A batch that is drawn and thrown away, so that the first real one of its shapes is not slow. */
record WarmUpBatch(ScaleSchedule schedule, int images) {

  /**
   * Batches of all schedules in the sizes that are likely, in the order of use: those that a busy
   * worker draws, as large as they get, then the powers of two below, the largest first, so that
   * memory is reserved once.
   *
   * @param most images of a schedule's largest batch
   * @param onlyLargest whether there are no others
   */
  static List<WarmUpBatch> plan(
      List<ScaleSchedule> schedules, ToIntFunction<ScaleSchedule> most, boolean onlyLargest) {
    List<WarmUpBatch> plan = new ArrayList<>();
    schedules.forEach(schedule -> plan.add(new WarmUpBatch(schedule, most.applyAsInt(schedule))));
    int largest = plan.stream().mapToInt(WarmUpBatch::images).max().orElse(0);
    for (int images = Integer.highestOneBit(largest); images >= 1 && !onlyLargest; images /= 2) {
      for (ScaleSchedule schedule : schedules) {
        if (images < most.applyAsInt(schedule)) {
          plan.add(new WarmUpBatch(schedule, images));
        }
      }
    }
    return plan;
  }
}
