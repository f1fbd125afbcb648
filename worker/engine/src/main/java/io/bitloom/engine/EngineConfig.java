package io.bitloom.engine;

import io.bitloom.common.config.Settings;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;

/**
 * How an engine draws.
 *
 * @param device what computes
 * @param dtype type of the model's linear layers, convolutions and KV cache: F32 or BF16
 * @param threads CPU threads of one operator; 0 leaves it to {@link
 *     io.bitloom.engine.tensor.cpu.CpuThreads}
 * @param maxBatch most images of a batch; 0 leaves it to {@link BatchEstimate}
 * @param encoderThreads threads that write image files
 * @param textCacheMiB memory for the features of texts that may come again
 * @param fixedBatches whether all batches of a schedule are filled up to one size, so that shapes,
 *     and with them the kernels that a GPU takes, never depend on what an image is drawn with
 * @param describeImages whether PNG files carry prompt, seed, parameters and model
 */
public record EngineConfig(
    TorchDevice device,
    DType dtype,
    int threads,
    int maxBatch,
    int encoderThreads,
    int textCacheMiB,
    boolean fixedBatches,
    boolean describeImages) {
  private static final int MOST_THREADS = 1024;
  private static final int MOST_IMAGES = 4096;
  private static final int MOST_MIB = 1 << 20;
  private static final int TEXT_CACHE_MIB = 64;

  /**
   * @throws io.bitloom.common.config.ConfigException naming what is out of range
   */
  public EngineConfig {
    Settings.inRange("threads", threads, 0, MOST_THREADS);
    Settings.inRange("max-batch", maxBatch, 0, MOST_IMAGES);
    Settings.inRange("text-cache", textCacheMiB, 0, MOST_MIB);
    Settings.inRange("encoder-threads", encoderThreads, 1, MOST_THREADS);
  }

  long textCacheBytes() {
    return (long) textCacheMiB << 20;
  }

  /** The defaults on a device: float32 on CPUs, bfloat16 on GPUs. */
  public static EngineConfig of(TorchDevice device) {
    return new EngineConfig(
        device,
        device.cuda() ? DType.BF16 : DType.F32,
        0,
        0,
        Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
        TEXT_CACHE_MIB,
        false,
        true);
  }
}
