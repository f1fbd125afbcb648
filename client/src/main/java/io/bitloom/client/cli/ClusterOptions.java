package io.bitloom.client.cli;

import io.bitloom.client.cluster.Workers;
import io.bitloom.common.gpu.VisibleGpus;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What a cluster on this machine is made of. */
final class ClusterOptions {
  private static final String AUTO = "auto";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      description = "The worker's model; default: the built-in one.")
  private String model = "";

  private Workers workers;

  @Option(
      names = "--workers",
      paramLabel = "N|auto",
      defaultValue = "1",
      description = {
        "Number of workers (default: ${DEFAULT-VALUE}). auto: one on each GPU",
        "that CUDA_VISIBLE_DEVICES leaves, or one on the CPU where there is none."
      })
  private void read(String count) {
    if (count.equals(AUTO)) {
      workers = Workers.onEach(VisibleGpus.find());
      return;
    }
    try {
      workers = Workers.of(Integer.parseInt(count));
    } catch (NumberFormatException e) {
      throw wrong("--workers: \"" + count + "\" is neither auto nor a whole number");
    }
    if (workers.count() < 1) {
      throw wrong("--workers must be at least 1, got " + count);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  String model() {
    return model;
  }

  Workers workers() {
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
