package io.bitloom.client.cli;

import io.bitloom.common.cli.Range;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What a cluster on this machine is made of. */
final class ClusterOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      description = "The worker's model; default: the built-in one.")
  private String model = "";

  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "1",
      description = "Number of workers (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int workers;

  String model() {
    return model;
  }

  int workers() {
    return workers;
  }

  /** The folder of the script, which sets this variable. */
  Path home() {
    String home = System.getenv("BITLOOM_HOME");
    if (home == null) {
      throw new ParameterException(
          command.commandLine(), command.name() + " is to be started by the script ./bitloom");
    }
    return Path.of(home);
  }
}
