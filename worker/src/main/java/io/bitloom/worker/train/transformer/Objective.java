package io.bitloom.worker.train.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;

/**
 * What the transformer is trained to do.
 *
 * @param flipStrength largest probability of a flipped bit in bitwise self-correction (official:
 *     0.3)
 * @param flipScales scales, from the first, whose bits may be flipped; 0 switches the flips off
 * @param requantize whether later labels make up for the flips; without it flips are seen in the
 *     inputs alone
 * @param conditionDrop probability that a sample is trained without its text (0.1)
 * @param reweight whether small scales weigh more, as √(area of the last / area of this one)
 * @param weighBits whether a bit weighs as much as its residual is large; otherwise all weigh the
 *     same
 * @param bitSum whether the bits' losses of a token are added; otherwise their mean is taken
 * @param scales scales, from the first, that are trained; later ones are cut off
 * @param allScalesFrom step from which on all scales are trained: what a picture shows is settled
 *     in the small scales, which cost a fraction of the large ones
 */
public record Objective(
    double flipStrength,
    int flipScales,
    boolean requantize,
    double conditionDrop,
    boolean reweight,
    boolean weighBits,
    boolean bitSum,
    int scales,
    long allScalesFrom) {
  /** The values of the official scripts. */
  public static final Objective REFERENCE =
      new Objective(0.3, 13, true, 0.1, true, false, false, 100, Long.MAX_VALUE);

  /** The scales of a schedule that are trained in a step. */
  List<Scale> trainedScales(ScaleSchedule schedule, long step) {
    List<Scale> all = schedule.scales();
    return step >= allScalesFrom ? all : all.subList(0, Math.min(all.size(), scales));
  }

  /** The scales that are trained at the end of a run, which is what validations look at. */
  List<Scale> trainedScales(ScaleSchedule schedule) {
    return trainedScales(schedule, Long.MAX_VALUE - 1);
  }
}
