package io.bitloom.training.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.codes.BitwiseSelfCorrection;
import io.bitloom.engine.codes.Flips;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.data.TrainingSample;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What the transformer is trained to do: the section {@code objective}.
 *
 * <p>Each of its random draws follows from the run's seed and the number of the sample (for what a
 * whole batch shares: of the batch) alone. So a resumed run draws what the interrupted one would
 * have, and it does not matter into how many parts or processes a batch is cut.
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
    @ConfigField(value = "0.3", most = 1) double flipStrength,
    @ConfigField("13") int flipScales,
    @ConfigField("true") boolean requantize,
    @ConfigField(value = "0.1", most = 1) double conditionDrop,
    @ConfigField("true") boolean reweight,
    @ConfigField("false") boolean weighBits,
    @ConfigField("false") boolean bitSum,
    @ConfigField(value = "100", least = 1) int scales,
    @ConfigField("9223372036854775807") long allScalesFrom) {
  /** The values of the official scripts. */
  public static final Objective REFERENCE = ConfigFile.defaults(Objective.class);

  private static final long CONDITION = 1;
  private static final long STRENGTH = 2;
  private static final long FLIPS = 3;

  /** Whether a sample is trained without its text. */
  boolean dropsCondition(long seed, TrainingSample sample) {
    return stream(seed, CONDITION, sample.number(), 0).nextDouble() < conditionDrop;
  }

  /**
   * The flips of bitwise self-correction: for each scale one probability for the whole batch, drawn
   * from {0, 0.01, …, strength}, then every bit on its own.
   */
  Flips flips(long seed, long batch, List<TrainingSample> samples) {
    int hundredths = (int) Math.round(100 * flipStrength);
    return (scale, bits) -> {
      try (Scope scope = Scope.open()) {
        double probability = stream(seed, STRENGTH, batch, scale).nextInt(hundredths + 1) * 0.01;
        long[] shape = bits.shape(); // (B, h, w, d)
        shape[0] = 1;
        TensorVector masks = new TensorVector();
        for (TrainingSample sample : samples) {
          long own = stream(seed, FLIPS, sample.number(), scale).nextLong() >>> 1;
          Generator generator = torch.make_generator_cpu(own);
          Tensor uniform = torch.rand(shape, new GeneratorOptional(generator));
          masks.push_back(uniform.lt(new Scalar(probability)));
        }
        Tensor mask = Tensors.to(torch.cat(masks, 0), DType.U8);
        return scope.keep(Tensors.to(mask, TorchDevice.of(bits)));
      }
    };
  }

  /** How bitwise self-correction makes inputs and labels. */
  BitwiseSelfCorrection.Config selfCorrection(boolean spatialPatchify) {
    return new BitwiseSelfCorrection.Config(flipScales, requantize, spatialPatchify);
  }

  private static SplittableRandom stream(long seed, long purpose, long number, long scale) {
    long mixed = new SplittableRandom(seed ^ (purpose << 56)).nextLong() + number;
    return new SplittableRandom(new SplittableRandom(mixed).nextLong() + scale);
  }

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
