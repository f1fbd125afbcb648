package io.bitloom.loadtests.engine;

import io.bitloom.common.cli.Range;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.BatchEstimate;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bitloom bench memory}: whether batches take the memory that the worker reckons with, and
 * whether memory stays flat over many images.
 */
@Command(
    name = "memory",
    mixinStandardHelpOptions = true,
    description =
        "Compares the memory of batches with what the worker reckons with, then draws many images"
            + " in varied batches and schedules and watches the peak.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:The peak stays within 5 %% of that of the first 50 images.", "1:It grows."})
public final class MemoryBenchmark implements Callable<Integer> {
  private static final int TOKENS = 40;
  private static final double GUIDANCE = 3;
  private static final int WARM_AFTER = 50;
  private static final double GROWTH = 1.05;
  private static final double MEBI = 1 << 20;

  /** In ascending order of memory, so that what one leaves unused does not hide the next. */
  private static final List<Batch> MEASURED =
      List.of(
          new Batch("1.0_0.06M", 8),
          new Batch("1.5_0.06M", 32),
          new Batch("1.0_0.25M", 8),
          new Batch("0.5_0.25M", 16),
          new Batch("1.0_0.60M", 8));

  private static final List<Batch> VARIED =
      List.of(
          new Batch("1.0_0.06M", 16),
          new Batch("1.0_0.25M", 2),
          new Batch("0.5_0.06M", 1),
          new Batch("1.5_0.06M", 9),
          new Batch("2.0_0.06M", 4),
          new Batch("0.666_0.06M", 12));

  /** Images of one schedule. */
  private record Batch(String schedule, int images) {
    ScaleSchedule scales() {
      return ScaleSchedules.find(schedule).orElseThrow();
    }
  }

  @Option(
      names = "--model",
      defaultValue = ModelDirectory.UNTRAINED,
      description = "A model directory, or the built-in model (default: ${DEFAULT-VALUE}).")
  private String model;

  @Option(
      names = "--dtype",
      defaultValue = "F32",
      description = "F32 or BF16 (default: ${DEFAULT-VALUE}).")
  private DType dtype;

  @Option(
      names = "--images",
      defaultValue = "1000",
      description = "Images of the second part (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int images;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    ModelDirectory directory = ModelDirectory.open(model);
    try (DeviceThread thread = new DeviceThread(TorchDevice.CPU)) {
      return thread.call(
          () -> {
            try (BenchmarkedModel loaded =
                new BenchmarkedModel(directory, TorchDevice.CPU, dtype)) {
              compareEstimate(out, loaded, estimate(directory));
              return staysFlat(out, loaded) ? 0 : 1;
            }
          });
    }
  }

  private BatchEstimate estimate(ModelDirectory directory) {
    return BatchEstimate.of(directory.transformer(), TorchDevice.CPU, dtype, 0);
  }

  private static void compareEstimate(
      PrintWriter out, BenchmarkedModel loaded, BatchEstimate estimate) {
    out.println("| schedule | batch | predicted MiB | measured MiB | measured / predicted |");
    out.println("|---|---|---|---|---|");
    draw(loaded, MEASURED.get(0).scales(), 1, false);
    long before = ProcessMemory.resident();
    for (Batch batch : MEASURED) {
      ProcessMemory.resetPeak();
      draw(loaded, batch.scales(), batch.images(), false);
      double measured = (ProcessMemory.peak() - before) / MEBI;
      double predicted = batch.images() * estimate.bytesPerImage(batch.scales()) / MEBI;
      out.printf(
          Locale.ROOT,
          "| %s | %d | %.0f | %.0f | %.2f |%n",
          batch.schedule(),
          batch.images(),
          predicted,
          measured,
          measured / predicted);
      out.flush();
    }
  }

  private boolean staysFlat(PrintWriter out, BenchmarkedModel loaded) {
    out.printf(Locale.ROOT, "%n| images | peak MiB |%n|---|---|%n");
    ProcessMemory.resetPeak();
    long warm = 0;
    int drawn = 0;
    for (int i = 0; drawn < images; i++) {
      Batch batch = VARIED.get(i % VARIED.size());
      draw(loaded, batch.scales(), batch.images(), true);
      int before = drawn;
      drawn += batch.images();
      if (drawn / WARM_AFTER > before / WARM_AFTER) {
        out.printf(Locale.ROOT, "| %d | %.0f |%n", drawn, ProcessMemory.peak() / MEBI);
        out.flush();
        warm = warm == 0 ? ProcessMemory.peak() : warm;
      }
    }
    return ProcessMemory.peak() <= GROWTH * warm;
  }

  private static void draw(
      BenchmarkedModel loaded, ScaleSchedule schedule, int images, boolean wholeImage) {
    try (Scope scope = Scope.open();
        BenchmarkedBatch batch = loaded.batch(schedule, images, TOKENS, GUIDANCE)) {
      batch.encodeTexts();
      batch.generate();
      if (wholeImage) {
        batch.decode();
        batch.writePng();
      }
    }
  }
}
