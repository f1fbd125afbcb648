package io.bitloom.engine.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Random numbers: SplitMix64 (Steele, Lea and Flood 2014) over a counter. A stream belongs to a
 * seed and an index alone, so that an image's numbers do not depend on the batch, the device or
 * libtorch's version.
 */
public final class SplitMix64 {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final int SHIFT_1 = 30;
  private static final long FACTOR_1 = 0xBF58476D1CE4E5B9L;
  private static final int SHIFT_2 = 27;
  private static final long FACTOR_2 = 0x94D049BB133111EBL;
  private static final int SHIFT_3 = 31;

  /** A number is the upper 24 bits, as many as a float32 holds. */
  private static final int BITS = 24;

  private static final float UNIT = 0x1p-24f;

  private SplitMix64() {}

  /** The state that the stream of one index of a seed starts from. */
  public static long start(long seed, int index) {
    return mix(mix(seed) + index * GOLDEN_GAMMA);
  }

  /** The first {@code count} numbers of a stream, uniform in [0, 1). */
  public static float[] uniform(long start, int count) {
    float[] numbers = new float[count];
    long state = start;
    for (int i = 0; i < count; i++) {
      state += GOLDEN_GAMMA;
      numbers[i] = (mix(state) >>> Long.SIZE - BITS) * UNIT;
    }
    return numbers;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> SHIFT_1)) * FACTOR_1;
    z = (z ^ (z >>> SHIFT_2)) * FACTOR_2;
    return z ^ (z >>> SHIFT_3);
  }

  /**
   * The same numbers of several streams, computed by their device.
   *
   * @param startsB1 {@link #start} of each, int64
   * @return float32 (B, count)
   */
  public static Tensor uniform(Tensor startsB1, int count) {
    try (Scope scope = Scope.open()) {
      Tensor steps = Tensors.range(count, TorchDevice.of(startsB1)).add_(new Scalar(1L));
      Tensor z = startsB1.add(steps.mul_(new Scalar(GOLDEN_GAMMA))); // (B, count)
      z = z.bitwise_xor_(unsignedShift(z, SHIFT_1)).mul_(new Scalar(FACTOR_1));
      z = z.bitwise_xor_(unsignedShift(z, SHIFT_2)).mul_(new Scalar(FACTOR_2));
      // The last xor changes the lower 33 bits only, of which a number has none.
      Tensor upper = unsignedShift(z, Long.SIZE - BITS);
      return scope.keep(Tensors.to(upper, DType.F32).mul_(new Scalar(UNIT)));
    }
  }

  /** x >>> n. libtorch's shift draws the sign along. */
  private static Tensor unsignedShift(Tensor x, int n) {
    return torch.bitwise_right_shift(x, new Scalar((long) n)).bitwise_and_(new Scalar(-1L >>> n));
  }
}
