package io.bitloom.engine;

import com.sun.management.OperatingSystemMXBean;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import java.lang.management.ManagementFactory;
import java.util.function.ToIntFunction;

/**
 * A first guess of how many images of a schedule make a good batch. A batch must fit into memory:
 * the KV cache of all scales but the last, and what the last scale takes, both for the conditional
 * and the unconditional half. And it need not be larger than what keeps the device busy. The
 * decoder takes what the transformer leaves, see {@link DecodeEstimate}.
 *
 * <p>Measured on a CPU, batches took from 0.85 to 1.1 times what {@link #bytesPerImage} says; half
 * of {@link #TOLERANCE} is for what other devices and shapes may add. A batch that does not fit all
 * the same is halved ({@link BatchCapacity}).
 *
 * @param gpu whether a GPU draws: the last scale's keys and values come to lie behind the cache, so
 *     that no block has a copy of it, and texts may be as long as they get
 * @param memory bytes that a batch may take
 * @param tokens tokens of all images together beyond which a larger batch is no faster
 * @param maxImages upper bound
 */
public record BatchEstimate(
    InfinityConfig config,
    DType dtype,
    boolean fusedAttention,
    boolean gpu,
    long memory,
    long tokens,
    int maxImages)
    implements ToIntFunction<ScaleSchedule> {
  /**
   * What is set aside for a batch over what it is thought to take; {@code bench memory} compares
   * the two.
   */
  public static final double TOLERANCE = 1.25;

  private static final int HALVES = 2;

  /** Tensors of width C that a block holds at once: input, q, k, v, attention, MLP (4), sums. */
  private static final int WIDTHS = 16;

  /** Logits of the last scale: as they come, divided by the temperature, guided. */
  private static final int LOGITS = 3;

  /** On CPUs 8 images of 0.06M; there, larger batches gain little and answer later. */
  private static final int CPU_TOKENS = 4200;

  /**
   * On GPUs 16 images of 1M. A weight is read for 2 FLOP a row, and an H100 computes 295 FLOP in
   * the time of reading a byte (989 TFLOP/s and 3.35 TB/s; an H200 206): from 295 rows on products
   * are bound by arithmetic. Of 16 images with guidance those are scales of 10 tokens or more, all
   * but the first two; more images only share what a batch takes to be launched, and answer later.
   */
  static final int GPU_TOKENS = 170_000;

  /**
   * What is left alone on a GPU: workspaces of its libraries, the text encoder's activations, and
   * what the allocator cannot use between its blocks. Not measured yet.
   */
  private static final long GPU_RESERVE = 2L << 30;

  static final int NO_LIMIT = 64;

  /**
   * The estimate for a model on a device. The model is already loaded: on a GPU a batch gets the
   * memory that is left, but for a reserve, on the CPU half of the machine's or the container's.
   *
   * @param maxBatch images as the user limits them, 0 for no such limit; it replaces the bound by
   *     tokens
   */
  public static BatchEstimate of(
      InfinityConfig config, TorchDevice device, DType dtype, int maxBatch) {
    long tokens = maxBatch > 0 ? Long.MAX_VALUE : device.cuda() ? GPU_TOKENS : CPU_TOKENS;
    return new BatchEstimate(
        config,
        dtype,
        device.cuda() || dtype == DType.F32,
        device.cuda(),
        freeMemory(device),
        tokens,
        maxBatch > 0 ? maxBatch : NO_LIMIT);
  }

  /** Bytes that a batch may take beside what is loaded. */
  static long freeMemory(TorchDevice device) {
    if (!device.cuda()) {
      return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize()
          / 2;
    }
    device.releaseCachedMemory(); // of loading, which does not count as free
    return Math.max(0, device.freeGpuBytes() - GPU_RESERVE);
  }

  @Override
  public int applyAsInt(ScaleSchedule schedule) {
    long byMemory = (long) (memory / (TOLERANCE * bytesPerImage(schedule)));
    long byTokens = tokens / schedule.tokens();
    return (int) Math.max(1, Math.min(maxImages, Math.min(byMemory, byTokens)));
  }

  /** Bytes that one image takes at the last scale, where a batch is largest. */
  public long bytesPerImage(ScaleSchedule schedule) {
    long last = schedule.last().tokens();
    long cached = schedule.tokens() - last;
    long width = config.embedDim();
    long token = 2L * width * dtype.bytes(); // its key and value
    long cache = config.depth() * token * cached;
    long blockAtWork = token * (gpu ? last : schedule.tokens());
    long text =
        gpu && config.square() == null ? config.depth() * token * config.textMaxLength() : 0;
    long activations =
        (WIDTHS * width + (long) LOGITS * config.logitsPerToken()) * last * DType.F32.bytes();
    long scores = fusedAttention ? 0 : config.numHeads() * last * schedule.tokens() * dtype.bytes();
    return HALVES * (cache + blockAtWork + text + activations + scores);
  }
}
