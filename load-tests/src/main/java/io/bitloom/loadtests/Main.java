package io.bitloom.loadtests;

import io.bitloom.common.cli.Usage;
import io.bitloom.engine.NativeLibraries;
import io.bitloom.engine.tensor.LibTorchException;
import io.bitloom.loadtests.autoscale.AutoscaleBench;
import io.bitloom.loadtests.chaos.ChaosCommand;
import io.bitloom.loadtests.chaos.ObjectsCommand;
import io.bitloom.loadtests.engine.ConvolutionBenchmark;
import io.bitloom.loadtests.engine.EngineBenchmark;
import io.bitloom.loadtests.engine.LateGuidanceBenchmark;
import io.bitloom.loadtests.engine.MemoryBenchmark;
import io.bitloom.loadtests.engine.PicturesBenchmark;
import io.bitloom.loadtests.gpu.GpuBench;
import io.bitloom.loadtests.queue.IdleBench;
import io.bitloom.loadtests.queue.QueueBench;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code bitloom bench …}: measurements, which are never part of the tests. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures parts of Bitloom.",
    subcommands = {
      EngineBenchmark.class,
      ConvolutionBenchmark.class,
      LateGuidanceBenchmark.class,
      MemoryBenchmark.class,
      PicturesBenchmark.class,
      GpuBench.class,
      QueueBench.class,
      IdleBench.class,
      ChaosCommand.class,
      ObjectsCommand.class,
      AutoscaleBench.class
    })
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec;

  public static void main(String[] arguments) {
    NativeLibraries.unpackIntoCache();
    System.exit(commandLine().execute(arguments));
  }

  /** The command line with all measurements. */
  static CommandLine commandLine() {
    return Usage.prepare(new CommandLine(new Main()))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Usage::refuse)
        .setExecutionExceptionHandler(Main::report);
  }

  /** What is missing on this machine is a line; anything else comes with its stack trace. */
  private static int report(Exception failure, CommandLine command, ParseResult arguments)
      throws Exception {
    if (failure instanceof LibTorchException) {
      command.getErr().println("bitloom: " + failure.getMessage());
      return CommandLine.ExitCode.USAGE;
    }
    throw failure;
  }

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(),
        "say what to run: bench engine, convolutions, guidance, memory, pictures, gpu, queue, idle,"
            + " chaos, objects or autoscale");
  }
}
