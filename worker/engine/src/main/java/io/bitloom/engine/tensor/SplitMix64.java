package io.bitloom.engine.tensor;

/**
 * The random numbers of one image: SplitMix64 (Steele, Lea and Flood 2014) over a counter, started
 * from the image's seed and index alone. They do not depend on the batch, the device or libtorch's
 * version.
 */
public final class SplitMix64 {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final float UNIT = 0x1p-24f;

  private long state;

  /** The stream of one image of a seed. */
  public SplitMix64(long seed, int index) {
    state = mix(mix(seed) + index * GOLDEN_GAMMA);
  }

  /** The next {@code count} numbers, uniform in [0, 1). */
  public float[] next(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      state += GOLDEN_GAMMA;
      numbers[i] = (mix(state) >>> 40) * UNIT;
    }
    return numbers;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
