package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;

/**
 * A float32 tensor of random values that everybody computes alike: a counter-based generator
 * (FNV-1a of the tensor's name, then SplitMix64's finaliser) gives u in [0, 1) for each element,
 * whose value is offset + scale·(2u − 1).
 */
public record RuleTensor(String name, long[] shape, double offset, double scale) {
  private static final long FNV_START = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final long SEED_STEP = 0xD1B54A32D192ED03L;
  private static final long INDEX_STEP = 0x9E3779B97F4A7C15L;
  private static final int CHUNK = 1 << 16;

  /** Number of elements. */
  public long elements() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** The values on the CPU; belongs to the open scope. */
  public Tensor generate(long seed) {
    Tensor tensor = Tensors.empty(DType.F32, TorchDevice.CPU, shape);
    FloatPointer values = new FloatPointer(tensor.data_ptr());
    long start = hash(name) + seed * SEED_STEP;
    LongStream.range(0, (elements() + CHUNK - 1) / CHUNK)
        .parallel()
        .forEach(chunk -> fill(values, start, chunk * CHUNK));
    return tensor;
  }

  private void fill(FloatPointer values, long start, long first) {
    float[] chunk = new float[(int) Math.min(CHUNK, elements() - first)];
    for (int i = 0; i < chunk.length; i++) {
      long bits = mix(start + (first + i + 1) * INDEX_STEP);
      double u = (bits >>> 40) * 0x1p-24;
      chunk[i] = (float) (offset + scale * (2 * u - 1));
    }
    values.getPointer(first).put(chunk);
  }

  static long hash(String name) {
    long hash = FNV_START;
    for (byte unit : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedInt(unit)) * FNV_PRIME;
    }
    return hash;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
