package io.bitloom.loadtests.engine;

import io.bitloom.common.cli.Range;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.bitloom.engine.tensor.cpu.Machine;
import io.bitloom.engine.tensor.cpu.Tuning;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom bench engine}: how fast one worker draws. */
@Command(
    name = "engine",
    mixinStandardHelpOptions = true,
    description =
        "Draws images in this process and prints, as a Markdown table, images per second, the time"
            + " of every stage beside the rate of a 2048×2048 matrix product, and memory.")
public final class EngineBenchmark implements Callable<Integer> {
  /** Products of two 2048×2048 float32 matrices on the machine of the published figures. */
  private static final double REFERENCE_RATE = 222e9;

  private static final double GIGA = 1e9;
  private static final double MEBI = 1 << 20;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      defaultValue = "${env:BITLOOM_HOME:-.}/load-tests/models/full125m",
      description = "A model directory (default: ${DEFAULT-VALUE}, random weights).")
  private String model;

  @Option(
      names = "--schedule",
      defaultValue = "1.0_0.06M",
      description = "The scale schedule, that is shape and size class (default: ${DEFAULT-VALUE}).")
  private String schedule;

  @Option(
      names = "--dtype",
      split = ",",
      defaultValue = "F32,BF16",
      description = "F32, BF16 (default: ${DEFAULT-VALUE}).")
  private List<DType> dtypes;

  @Option(
      names = "--batch",
      split = ",",
      defaultValue = "1,8",
      description = "Images of a batch (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private List<Integer> batches;

  @Option(
      names = "--prompt-tokens",
      defaultValue = "40",
      description = "Length of the prompts (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int promptTokens;

  @Option(
      names = "--guidance",
      defaultValue = "4",
      description = "Guidance at every scale; 1 is none (default: ${DEFAULT-VALUE}).")
  private double guidance;

  @Option(
      names = "--runs",
      defaultValue = "5",
      description = "Measured runs after one to warm up (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int runs;

  @Option(names = "--device", defaultValue = "auto", description = "auto (default), cpu or cuda:N.")
  private String deviceName;

  @Option(
      names = "--threads",
      defaultValue = "0",
      description = "CPU threads of one operator; 0 (default): as many as help here.")
  @Range(min = 0, max = 1024)
  private int threads;

  @Option(
      names = "--tune",
      description =
          "Measure anew which algorithms are quickest on this processor, and print what was chosen.")
  private boolean tune;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    ScaleSchedule shape =
        ScaleSchedules.find(schedule)
            .orElseThrow(() -> usage("--schedule: there is no schedule \"" + schedule + "\""));
    TorchDevice device = device();
    CpuThreads.use(threads);
    if (tune) {
      Tuning.forget();
    }
    PrintWriter out = spec.commandLine().getOut();
    ModelDirectory directory = ModelDirectory.open(model);
    heading(out, directory, device, shape);
    try (DeviceThread thread = new DeviceThread(device)) {
      for (DType dtype : dtypes) {
        thread.call(
            () -> {
              measure(out, directory, device, dtype, shape);
              return null;
            });
      }
    }
    if (tune) {
      Tuning.fastestType();
      out.printf(Locale.ROOT, "%nChosen in %s:%n", Tuning.file());
      Tuning.lines().forEach(line -> out.println("- " + line));
      out.flush();
    }
    return 0;
  }

  private void heading(
      PrintWriter out, ModelDirectory directory, TorchDevice device, ScaleSchedule shape) {
    out.printf(
        Locale.ROOT,
        "%s%n%n%s; %s, %s, prompt of %d tokens, guidance %s, medians of %d runs%n%n",
        Machine.of(LibTorch.threads()),
        device,
        directory.name(),
        shape,
        promptTokens,
        guidance,
        runs);
    out.println(
        "| type | batch | images/s | text s | transformer s (fastest) | decode s (fastest) | PNG s"
            + " | matmul GFLOP/s | transformer s at 222 | decode s at 222 | KV MiB | peak MiB |");
    out.println("|---|---|---|---|---|---|---|---|---|---|---|---|");
    out.flush();
  }

  /** All times are per image; the matrix product that scales them is always float32. */
  private void measure(
      PrintWriter out,
      ModelDirectory directory,
      TorchDevice device,
      DType dtype,
      ScaleSchedule shape) {
    try (BenchmarkedModel benchmarked = new BenchmarkedModel(directory, device, dtype);
        MatmulRate matmul = new MatmulRate(device, DType.F32)) {
      for (int batch : batches) {
        ProcessMemory.resetPeak();
        try (BenchmarkedBatch images = benchmarked.batch(shape, batch, promptTokens, guidance)) {
          Timing text = Timing.of(runs, matmul, device, images::encodeTexts);
          Timing transformer = Timing.of(runs, matmul, device, images::generate);
          Timing decode = Timing.of(runs, matmul, device, images::decode);
          Timing encode = Timing.of(runs, matmul, device, images::writePng);
          double perImage =
              (text.median() + transformer.median()) / batch + decode.median() + encode.median();
          out.printf(
              Locale.ROOT,
              "| %s | %d | %.3f | %.4f | %.3f (%.3f) | %.3f (%.3f) | %.3f"
                  + " | %.0f | %.3f | %.3f | %.1f | %.0f |%n",
              dtype,
              batch,
              1 / perImage,
              text.median() / batch,
              transformer.median() / batch,
              transformer.fastest() / batch,
              decode.median(),
              decode.fastest(),
              encode.median(),
              (transformer.rate() + decode.rate()) / 2 / GIGA,
              transformer.secondsAt(REFERENCE_RATE) / batch,
              decode.secondsAt(REFERENCE_RATE),
              images.kvBytesPerImage() / MEBI,
              ProcessMemory.peak() / MEBI);
          out.flush();
        }
      }
    }
  }

  private TorchDevice device() {
    try {
      return TorchDevice.parse(deviceName);
    } catch (IllegalArgumentException e) {
      throw usage("--" + e.getMessage());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
