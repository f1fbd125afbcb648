package io.bitloom.loadtests.engine;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.cpu.ConvolutionComparison;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.bitloom.engine.tensor.cpu.Machine;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom bench convolutions}: how exact and how fast each algorithm is. */
@Command(
    name = "convolutions",
    mixinStandardHelpOptions = true,
    description =
        "Prints, as a Markdown table, error and time of every algorithm for each kind of"
            + " convolution that the official tokenizer's decoder has.")
public final class ConvolutionBenchmark implements Callable<Integer> {
  private static final int STRIDE = 16;

  /**
   * A kind of layer.
   *
   * @param shrink how many times smaller its map is than the picture
   */
  private record Layer(int in, int out, int shrink, boolean doubled) {}

  private static final List<Layer> LAYERS =
      List.of(
          new Layer(512, 512, 16, false),
          new Layer(512, 512, 16, true),
          new Layer(512, 512, 8, false),
          new Layer(512, 512, 8, true),
          new Layer(512, 512, 4, false),
          new Layer(512, 512, 4, true),
          new Layer(512, 256, 2, false),
          new Layer(256, 256, 2, false),
          new Layer(256, 256, 2, true),
          new Layer(256, 128, 1, false),
          new Layer(128, 128, 1, false),
          new Layer(128, 3, 1, false));

  @Option(
      names = "--side",
      split = ",",
      defaultValue = "256,1024",
      description = "Sides of the square pictures (default: ${DEFAULT-VALUE}).")
  private List<Integer> sides;

  @Option(
      names = "--dtype",
      split = ",",
      defaultValue = "F32",
      description = "F32, BF16 (default: ${DEFAULT-VALUE}).")
  private List<DType> dtypes;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (sides.stream().anyMatch(side -> side < STRIDE || side % STRIDE != 0)) {
      throw new ParameterException(
          spec.commandLine(), "--side: expected multiples of 16, got " + sides);
    }
    CpuThreads.use(0);
    PrintWriter out = spec.commandLine().getOut();
    out.printf(Locale.ROOT, "%s%n%n", Machine.of(LibTorch.threads()));
    out.println(
        "| picture | type | channels | map | algorithm | largest error | mean error | ms |");
    out.println("|---|---|---|---|---|---|---|---|");
    for (int side : sides) {
      for (DType dtype : dtypes) {
        LAYERS.forEach(layer -> print(out, side, dtype, layer));
      }
    }
    return 0;
  }

  private static void print(PrintWriter out, int side, DType dtype, Layer layer) {
    int map = side / layer.shrink();
    for (ConvolutionComparison row :
        ConvolutionComparison.of(layer.doubled(), dtype, layer.in(), layer.out(), map)) {
      out.printf(
          Locale.ROOT,
          "| %d² | %s | %d → %d | %d²%s | %s | %.1e | %.1e | %.1f |%n",
          side,
          dtype,
          layer.in(),
          layer.out(),
          map,
          layer.doubled() ? " doubled" : "",
          row.algorithm().toLowerCase(Locale.ROOT),
          row.largest(),
          row.mean(),
          row.milliseconds());
      out.flush();
    }
  }
}
