package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.common.rules.SamplingParameters.Preset;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import java.io.IOException;
import java.util.List;

/** How fast models draw: size by size, batch by batch, preset by preset. */
final class DrawingStep {
  static final String SECTION = "Drawing";
  static final String BATCH = "batch";
  static final String IMAGES_PER_SECOND = "images/s";
  static final String LATENCY = "s a batch";
  static final String CACHE = "KV cache an image, GB";

  private static final double GIGA = 1e9;
  private static final double TERA = 1e12;

  private DrawingStep() {}

  /** The first model at the first size: what matters most. */
  static void headline(Sitting sitting) throws IOException {
    Sitting.Plan plan = sitting.plan();
    draw(sitting, plan.models().subList(0, 1), plan.sizes().subList(0, 1));
  }

  /** All models at all sizes. */
  static void all(Sitting sitting) throws IOException {
    draw(sitting, sitting.plan().models(), sitting.plan().sizes());
  }

  private static void draw(Sitting sitting, List<SittingModel> models, List<SizeClass> sizes)
      throws IOException {
    for (SittingModel model : models) {
      for (DType dtype : sitting.plan().dtypes()) {
        for (SizeClass size : sizes) {
          if (model.draws(size.label())) {
            draw(sitting, model, dtype, size);
          }
        }
      }
    }
  }

  private static void draw(Sitting sitting, SittingModel model, DType dtype, SizeClass size)
      throws IOException {
    for (Preset preset : Preset.values()) {
      for (int batch : sitting.plan().batches()) {
        JsonObject identity =
            new Row()
                .with("model", model)
                .with("size", size)
                .with("type", dtype)
                .with("preset", preset)
                .with(BATCH, batch)
                .json();
        sitting.measure(
            SECTION, identity, () -> figures(sitting, model, dtype, size, preset, batch));
      }
    }
  }

  private static JsonObject figures(
      Sitting sitting, SittingModel name, DType dtype, SizeClass size, Preset preset, int batch)
      throws IOException {
    DrawingModel model = sitting.loaded(name, dtype);
    ScaleSchedule schedule = ScaleSchedules.nearest(1, size);
    ModelDirectory directory = sitting.directory(name);
    DrawnBatch drawn =
        new DrawnBatch(
            model, schedule, batch, DrawnBatch.sampling(directory, size.label(), preset));
    MemoryMeter memory = MemoryMeter.start(model.device());
    Repeats repeats = Repeats.of(sitting.plan().repeats(), drawn::draw);
    double transformer = repeats.of(1).median();
    double whole = repeats.of(2).median();
    ModelFlops flops =
        ModelFlops.ofImage(model.transformer().config(), schedule.scales(), drawn.guidance());
    boolean guided = drawn.guidance().stream().anyMatch(guidance -> guidance != 1);
    return new Row()
        .with(IMAGES_PER_SECOND, batch / whole)
        .with(LATENCY, repeats.of(2))
        .with("transformer, s", transformer)
        .with("queued after, s", repeats.of(0).median())
        .with("decoder, s an image", (whole - transformer) / batch)
        .with("transformer, TFLOP/s", batch * flops.total() / transformer / TERA)
        .with(CACHE, model.transformer().kvBytesPerImage(schedule.scales(), guided) / GIGA)
        .with("memory of the batch, GB", memory.peak() / GIGA)
        .with("runs", repeats.runs().size())
        .json();
  }
}
