package io.bitloom.engine;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import java.util.function.ToIntFunction;

/**
 * How many pictures of a schedule are decoded at a time. A CPU decodes them one by one: its
 * convolutions round differently in batches of different size. A GPU takes as many as keep it busy
 * at the smallest maps, and as fit. The transformer's memory is free by then.
 *
 * @param memory bytes that the decoder's maps may take
 * @param pixels pixels of all pictures together beyond which more at a time are no faster
 */
public record DecodeEstimate(TokenizerConfig config, DType dtype, long memory, long pixels)
    implements ToIntFunction<ScaleSchedule> {

  /**
   * 4 of 1M, whose smallest maps, 64×64, make 512 tiles of 128×128 outputs: about 4 for each of the
   * 132 multiprocessors of an H100.
   */
  private static final long GPU_PIXELS = 4L << 20;

  /** The estimate for a tokenizer on a device, on which the model is already loaded. */
  public static DecodeEstimate of(TokenizerConfig config, TorchDevice device, DType dtype) {
    return device.cuda()
        ? new DecodeEstimate(config, dtype, BatchEstimate.freeMemory(device), GPU_PIXELS)
        : new DecodeEstimate(config, dtype, 0, 0);
  }

  @Override
  public int applyAsInt(ScaleSchedule schedule) {
    long byMemory = (long) (memory / (BatchEstimate.TOLERANCE * bytesPerPicture(schedule)));
    return (int) Math.max(1, Math.min(byMemory, pixels / pixels(schedule)));
  }

  /** Bytes of the decoder's maps of one picture where they are largest. */
  public long bytesPerPicture(ScaleSchedule schedule) {
    return config.decoderValues(pixels(schedule)) * dtype.bytes();
  }

  private static long pixels(ScaleSchedule schedule) {
    return (long) schedule.pixelHeight() * schedule.pixelWidth();
  }
}
