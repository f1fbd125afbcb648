package io.bitloom.loadtests.gpu;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom bench gpu …}: a sitting on a machine with a GPU. */
@Command(
    name = "gpu",
    mixinStandardHelpOptions = true,
    description = "Measures everything on one GPU, also on a machine without Java and network.",
    subcommands = {GpuPackCommand.class, GpuRunCommand.class})
public final class GpuBench implements Callable<Integer> {
  @Spec private CommandSpec spec;

  /** The repository, or what a pack has of it. */
  static Path home() {
    return Path.of(System.getenv().getOrDefault("BITLOOM_HOME", "."));
  }

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "say what to do: pack or run");
  }
}
