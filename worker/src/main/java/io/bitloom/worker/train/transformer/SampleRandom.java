package io.bitloom.worker.train.transformer;

import io.bitloom.worker.codes.Flips;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.train.data.Sample;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The random draws of training. Each follows from the run's seed and the number of the sample (for
 * what a whole batch shares: of the batch) alone. So a resumed run draws what the interrupted one
 * would have, and it does not matter into how many parts or processes a batch is cut.
 */
record SampleRandom(long seed) {
  private static final long CONDITION = 1;
  private static final long STRENGTH = 2;
  private static final long FLIPS = 3;

  /** Whether a sample is trained without its text. */
  boolean dropsCondition(Sample sample, double rate) {
    return stream(CONDITION, sample.number(), 0).nextDouble() < rate;
  }

  /**
   * The flips of bitwise self-correction: for each scale one probability for the whole batch, drawn
   * from {0, 0.01, …, strength}, then every bit on its own.
   */
  Flips flips(long batch, List<Sample> samples, double strength) {
    int hundredths = (int) Math.round(100 * strength);
    return (scale, bits) -> {
      try (Scope scope = Scope.open()) {
        double probability = stream(STRENGTH, batch, scale).nextInt(hundredths + 1) * 0.01;
        long[] shape = bits.shape(); // (B, h, w, d)
        shape[0] = 1;
        TensorVector masks = new TensorVector();
        for (Sample sample : samples) {
          long own = stream(FLIPS, sample.number(), scale).nextLong() >>> 1;
          Generator generator = torch.make_generator_cpu(own);
          Tensor uniform = torch.rand(shape, new GeneratorOptional(generator));
          masks.push_back(uniform.lt(new Scalar(probability)));
        }
        Tensor mask = Tensors.to(torch.cat(masks, 0), DType.U8);
        return scope.keep(mask.to(bits.device(), DType.U8.torch()));
      }
    };
  }

  private SplittableRandom stream(long purpose, long number, long scale) {
    long mixed = new SplittableRandom(seed ^ (purpose << 56)).nextLong() + number;
    return new SplittableRandom(new SplittableRandom(mixed).nextLong() + scale);
  }
}
