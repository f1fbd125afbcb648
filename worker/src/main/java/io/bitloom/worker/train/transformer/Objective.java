package io.bitloom.worker.train.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.train.config.ConfigFile;
import io.bitloom.worker.train.config.Setting;
import java.util.List;

/**
 * What the transformer is trained to do: the section {@code objective}.
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
    @Setting(value = "0.3", most = 1) double flipStrength,
    @Setting("13") int flipScales,
    @Setting("true") boolean requantize,
    @Setting(value = "0.1", most = 1) double conditionDrop,
    @Setting("true") boolean reweight,
    @Setting("false") boolean weighBits,
    @Setting("false") boolean bitSum,
    @Setting(value = "100", least = 1) int scales,
    @Setting("9223372036854775807") long allScalesFrom) {
  /** The values of the official scripts. */
  public static final Objective REFERENCE = ConfigFile.defaults(Objective.class);

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
