package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.model.MetaModels;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.HeldBytes;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.Collections;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a guided image of a batch takes of a GPU's memory, counted on tensors without memory,
 * against what {@link BatchEstimate} says. Prints the table of docs/performance/gpu.md.
 */
class BatchBytesTest {
  private static final DType DTYPE = DType.BF16;
  private static final int IMAGES = 2;
  private static final int SHORT_TEXT = 32;

  @ParameterizedTest
  @EnumSource(names = {"LAYER12", "LAYER24", "MODEL_2B", "MODEL_8B", "MODEL_20B"})
  void aBatchTakesWhatTheEstimateSays(InfinityPreset preset) {
    InfinityConfig config = MetaModels.config(preset);
    BatchEstimate estimate =
        new BatchEstimate(config, DTYPE, true, true, Long.MAX_VALUE, Long.MAX_VALUE, IMAGES);
    try (Weights weights = MetaWeights.of(InfinityLayout.of(config));
        InfinityTransformer model =
            InfinityTransformer.forInference(config, weights, TorchDevice.META, DTYPE)) {
      for (SizeClass size : SizeClass.ofAllShapes()) {
        ScaleSchedule schedule = ScaleSchedules.nearest(1, size);
        long cache = model.kvBytesPerImage(schedule.scales(), true);
        long brief = heldPerImage(model, weights, schedule, SHORT_TEXT);
        long wordy = heldPerImage(model, weights, schedule, config.textMaxLength());
        long estimated = estimate.bytesPerImage(schedule);
        System.out.println(row(preset, size, cache, brief, wordy, estimated));
        fits(wordy, estimated, preset + " " + size);
        long shorter = textBytes(config, config.textMaxLength() - SHORT_TEXT);
        fits(brief, estimated - shorter, preset + " " + size);
      }
    }
  }

  /** Keys and values of an image's text and of its unconditional one, in all blocks. */
  private static long textBytes(InfinityConfig config, long rows) {
    return 2 * 2L * config.depth() * config.embedDim() * rows * DTYPE.bytes();
  }

  private static void fits(long held, long expected, String what) {
    double ratio = (double) held / expected;
    assertTrue(
        ratio < BatchEstimate.TOLERANCE && ratio > 1 / BatchEstimate.TOLERANCE,
        what + " holds " + held + ", expected " + expected);
  }

  private static String row(
      InfinityPreset preset, SizeClass size, long cache, long brief, long wordy, long estimated) {
    return String.format(
        Locale.ROOT,
        "| %s | %s | %.1f | %.1f | %.1f | %.1f | %.2f | %.2f |",
        preset.label(),
        size,
        cache / 1e6,
        brief / 1e6,
        wordy / 1e6,
        estimated / 1e6,
        (double) brief / estimated,
        (double) wordy / estimated);
  }

  /** The most that is held before the first scale is drawn, or at the last one. */
  private static long heldPerImage(
      InfinityTransformer model, Weights weights, ScaleSchedule schedule, int textRows) {
    int scales = schedule.scales().size();
    long rows = (long) IMAGES * textRows;
    try (Scope scope = Scope.open();
        HeldBytes held = new HeldBytes(TorchDevice.META, weights)) {
      Tensor features =
          Tensors.empty(DType.F32, TorchDevice.META, rows, model.config().textChannels());
      GenerationBatch batch =
          new GenerationBatch(
              schedule.scales(),
              new PackedRows(features, Collections.nCopies(IMAGES, textRows)),
              null,
              Collections.nCopies(IMAGES, ImageSampling.constant(1, 0, 4, 0.5, 0.97, scales)));
      model.generate(batch, (k, summed) -> held.look(k == scales - 2));
      return held.most() / IMAGES;
    }
  }
}
