package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.common.rules.SamplingParameters.Preset;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the time of a batch goes. libtorch's profiler cannot be switched on from Java, so every
 * operator of the blocks is run again on its own, at the shapes of every scale, ten in a row: its
 * time is that of the device where it keeps the device busy, and that of calling it where it does
 * not. What is left is everything else: head, drawing of bits, resizing, other small operators, and
 * gaps in which the device waits.
 */
final class ShareStep {
  private static final String SECTION = "Where the time goes";
  private static final String OPERATORS = "Operators";
  private static final int BATCHES = 2;

  private ShareStep() {}

  static void run(Sitting sitting) throws IOException {
    Sitting.Plan plan = sitting.plan();
    SizeClass size = plan.sizes().get(0);
    SittingModel model = plan.models().get(0);
    DType dtype = plan.dtypes().get(0);
    for (int batch : plan.batches().subList(0, Math.min(BATCHES, plan.batches().size()))) {
      JsonObject identity =
          new Row()
              .with("model", model)
              .with("size", size)
              .with("type", dtype)
              .with("batch", batch)
              .json();
      sitting.measure(SECTION, identity, () -> shares(sitting, model, dtype, size, batch));
    }
    for (Operator operator : alone(sitting.directory(model), size)) {
      JsonObject identity = operator.json();
      identity.addProperty("type", dtype.toString());
      sitting.measure(OPERATORS, identity, () -> alone(sitting, operator, dtype));
    }
  }

  /**
   * Those at the last scale of one guided image, where most of the time goes, and the decoder's.
   */
  static List<Operator> alone(ModelDirectory directory, SizeClass size) {
    ScaleSchedule schedule = ScaleSchedules.nearest(1, size);
    List<Scale> scales = schedule.scales();
    List<Operator> operators =
        Operator.ofScale(directory.transformer(), scales, scales.size() - 1, 2, DrawnBatch.TOKENS);
    operators.addAll(Operator.ofDecoder(directory.tokenizer(), schedule));
    return operators;
  }

  private static JsonObject alone(Sitting sitting, Operator operator, DType dtype) {
    sitting.unload();
    Repeats.Spread seconds =
        operator.seconds(sitting.plan().device(), dtype, sitting.plan().repeats());
    Row row = new Row().with("s", seconds);
    if (operator.flop() > 0) {
      row.with("TFLOP/s", operator.flop() / seconds.median() / 1e12);
    }
    return row.json();
  }

  private static JsonObject shares(
      Sitting sitting, SittingModel name, DType dtype, SizeClass size, int batch)
      throws IOException {
    DrawingModel model = sitting.loaded(name, dtype);
    InfinityConfig config = model.transformer().config();
    ScaleSchedule schedule = ScaleSchedules.nearest(1, size);
    DrawnBatch drawn =
        new DrawnBatch(
            model,
            schedule,
            batch,
            DrawnBatch.sampling(sitting.directory(name), size.label(), Preset.QUALITY));
    Repeats repeats = Repeats.of(sitting.plan().repeats(), drawn::draw);
    double transformer = repeats.of(1).median();
    double whole = repeats.of(2).median();
    sitting.unload();
    Map<String, Double> parts = new LinkedHashMap<>();
    for (Operator operator : operators(config, schedule, batch)) {
      double seconds =
          operator.seconds(sitting.plan().device(), dtype, new Repeats.Limit(3, 1)).median();
      parts.merge(operator.kind().part(), operator.calls() * seconds, Double::sum);
    }
    parts.put("decoder", whole - transformer);
    double known = parts.values().stream().mapToDouble(Double::doubleValue).sum();
    parts.put("everything else", whole - known);
    Row row = new Row().with("s", whole);
    parts.forEach((part, seconds) -> row.with(part + ", share", seconds / whole));
    return row.with("host done after, share", repeats.of(0).median() / whole).json();
  }

  private static List<Operator> operators(
      InfinityConfig config, ScaleSchedule schedule, int batch) {
    List<Operator> operators = new ArrayList<>();
    for (int k = 0; k < schedule.scales().size(); k++) {
      operators.addAll(
          Operator.ofScale(config, schedule.scales(), k, 2L * batch, DrawnBatch.TOKENS));
    }
    return operators;
  }
}
