package io.bitloom.loadtests.gpu;

import io.bitloom.common.cli.Range;
import io.bitloom.engine.tensor.LibTorch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bitloom bench gpu pack}: all that a bare machine needs for a sitting. */
@Command(
    name = "pack",
    mixinStandardHelpOptions = true,
    description =
        "Packs this build, with a Java runtime, for a machine that has neither Java nor network, in"
            + " parts that can be carried one by one. Needs a JDK with jlink, tar and gzip.")
public final class GpuPackCommand implements Callable<Integer> {
  private static final long MEGA = 1_000_000;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder for the parts, which must not exist or be empty.")
  private Path out;

  @Option(
      names = "--part",
      paramLabel = "MB",
      defaultValue = "60",
      description = "Largest size of a part (default: ${DEFAULT-VALUE}).")
  @Range(min = 1, max = 100_000)
  private int part;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException, InterruptedException {
    GpuPack.Packed packed =
        new GpuPack(GpuBench.home(), System.getProperty("java.class.path")).write(out, part * MEGA);
    PrintWriter said = spec.commandLine().getOut();
    said.printf(
        Locale.ROOT,
        "%d parts, %.1f MB, in %s%n",
        packed.parts(),
        packed.bytes() / (double) MEGA,
        out);
    said.println(
        LibTorch.builtForGpu()
            ? "This build is for GPUs."
            : "This build is for CPUs: it measures no GPU. One for GPUs is made by mvn -Pgpu"
                + " -DskipTests package");
    said.println("There: sh run");
    said.flush();
    return 0;
  }
}
