package io.bitloom.loadtests.gpu;

import io.bitloom.common.cli.Range;
import io.bitloom.common.cli.Usage;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.NativeLibraries;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code bitloom bench gpu run}: the measurements of a sitting. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description =
        "Measures parity with the CPU, speed, memory and training on one device, the most important"
            + " first, and writes a report as it goes. Called again, it goes on where it was.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:Everything is measured, or was tried.",
      "3:The time was up before; call again to go on.",
      "4:A fault left the device of no use to this process; call again to go on."
    })
public final class GpuRunCommand implements Callable<Integer> {
  private static final int TIME_IS_UP = 3;
  private static final int DEVICE_IS_LOST = 4;

  /** What a measurement that began in time may take beyond it before it is given up. */
  private static final int GRACE_S = 60;

  /** The steps in the order of their importance. */
  private enum Step {
    MACHINE,
    PARITY,
    HEADLINE,
    SHARES,
    TRAINING,
    DRAWING,
    YARDSTICK
  }

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "sitting",
      description = "Folder for report and journal (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(names = "--device", defaultValue = "auto", description = "auto (default), cpu or cuda:N.")
  private String deviceName;

  @Option(
      names = "--model",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "2b,8b",
      converter = ModelName.class,
      description =
          "Architectures that draw, with random weights: tiny, 125m, 2b, 8b (default:"
              + " ${DEFAULT-VALUE}).")
  private List<SittingModel> models;

  @Option(
      names = "--size",
      split = ",",
      paramLabel = "SIZE",
      defaultValue = "1M,0.25M,0.06M",
      converter = Size.class,
      description = "Size classes (default: ${DEFAULT-VALUE}).")
  private List<SizeClass> sizes;

  @Option(
      names = "--batch",
      split = ",",
      defaultValue = "1,8,4,16,2",
      description = "Images of a batch (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private List<Integer> batches;

  @Option(
      names = "--dtype",
      split = ",",
      description = "F32, BF16 (default: BF16 on a GPU, F32 on a CPU).")
  private List<DType> dtypes;

  @Option(
      names = "--train",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "2b,125m",
      converter = ModelName.class,
      description =
          "Architectures of which a training step is measured (default: ${DEFAULT-VALUE}).")
  private List<SittingModel> training;

  @Option(
      names = "--step",
      split = ",",
      description =
          "Only these steps: machine, parity, headline, shares, training, drawing, yardstick"
              + " (default: all, in this order).")
  private List<Step> steps = List.of(Step.values());

  @Option(
      names = "--limit",
      paramLabel = "MINUTES",
      defaultValue = "20",
      description = "Time after which no measurement begins (default: ${DEFAULT-VALUE}).")
  @Range(min = 0, max = 1440)
  private int limit;

  @Option(
      names = "--runs",
      defaultValue = "5",
      description = "Runs of a measurement after one to warm up (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int runs;

  @Option(
      names = "--seconds",
      defaultValue = "10",
      description = "Time after which a measurement is not repeated (default: ${DEFAULT-VALUE}).")
  @Range(min = 0)
  private int seconds;

  @Option(
      names = "--python",
      paramLabel = "PROGRAM",
      defaultValue = "python3",
      description = "A Python with torch, to compare with (default: ${DEFAULT-VALUE}).")
  private String python;

  @Spec private CommandSpec spec;

  /** The program of a pack, which has nothing of the coordinator. */
  public static void main(String[] arguments) {
    NativeLibraries.unpackIntoCache();
    System.exit(
        Usage.prepare(new CommandLine(new GpuRunCommand()))
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setParameterExceptionHandler(Usage::refuse)
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(limit);
    giveUpAfter(TimeUnit.MINUTES.toSeconds(limit) + GRACE_S);
    TorchDevice device = device();
    CpuThreads.use(0);
    PrintWriter progress = spec.commandLine().getOut();
    Path template = GpuBench.home().resolve("load-tests/models/full125m/model.json");
    try (Sitting sitting = new Sitting(plan(device), template, out, deadline, progress)) {
      for (Step step : steps) {
        run(step, sitting);
      }
    } catch (Sitting.TimeUpException e) {
      progress.println("The time is up; the same command goes on from here.");
      return TIME_IS_UP;
    } catch (Sitting.DeviceLostException e) {
      progress.println("The device has to be opened anew; the same command goes on from here.");
      return DEVICE_IS_LOST;
    } finally {
      progress.println("The report is " + out.resolve("report.md"));
      progress.flush();
    }
    return CommandLine.ExitCode.OK;
  }

  private void run(Step step, Sitting sitting) throws IOException {
    switch (step) {
      case MACHINE -> MachineStep.run(sitting);
      case PARITY -> ParityStep.run(sitting);
      case HEADLINE -> DrawingStep.headline(sitting);
      case SHARES -> ShareStep.run(sitting);
      case TRAINING -> TrainingStep.run(sitting);
      case DRAWING -> DrawingStep.all(sitting);
      case YARDSTICK ->
          TorchYardstick.run(sitting, GpuBench.home().resolve("load-tests/gpu/yardstick.py"));
      default -> throw new IllegalStateException(step.toString());
    }
  }

  /** Ends the process when a measurement does not end by itself; the journal knows which. */
  private static void giveUpAfter(long seconds) {
    Thread watch =
        new Thread(
            () -> {
              try {
                TimeUnit.SECONDS.sleep(seconds);
              } catch (InterruptedException e) {
                return;
              }
              Runtime.getRuntime().halt(TIME_IS_UP);
            },
            "time-limit");
    watch.setDaemon(true);
    watch.start();
  }

  private Sitting.Plan plan(TorchDevice device) {
    List<DType> types = dtypes == null ? List.of(device.cuda() ? DType.BF16 : DType.F32) : dtypes;
    return new Sitting.Plan(
        device, models, sizes, batches, types, training, new Repeats.Limit(runs, seconds), python);
  }

  private TorchDevice device() {
    TorchDevice device;
    try {
      device = TorchDevice.parse(deviceName);
    } catch (IllegalArgumentException e) {
      throw usage("--" + e.getMessage());
    }
    // Half an hour of a machine with a GPU is not for measuring its CPU unasked.
    if (LibTorch.builtForGpu() && !device.cuda() && !deviceName.equals("cpu")) {
      throw usage(
          "libtorch for GPUs finds no CUDA device: see nvidia-smi, and LD_LIBRARY_PATH; --device cpu"
              + " measures the CPU");
    }
    return device;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** Reads the name of a model. */
  static final class ModelName implements ITypeConverter<SittingModel> {
    @Override
    public SittingModel convert(String name) {
      for (SittingModel model : SittingModel.values()) {
        if (model.label().equals(name)) {
          return model;
        }
      }
      throw new TypeConversionException("there is no model \"" + name + "\"");
    }
  }

  /** Reads the label of a size class. */
  static final class Size implements ITypeConverter<SizeClass> {
    @Override
    public SizeClass convert(String label) {
      return SizeClass.find(label)
          .orElseThrow(() -> new TypeConversionException("there is no size \"" + label + "\""));
    }
  }
}
