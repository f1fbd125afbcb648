package io.bitloom.client.cli;

import io.bitloom.client.cluster.Workers;
import io.bitloom.common.gpu.VisibleGpus;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

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
      paramLabel = "N|auto",
      defaultValue = "1",
      converter = WorkersConverter.class,
      description = {
        "Number of workers (default: ${DEFAULT-VALUE}). auto: one on each GPU",
        "that CUDA_VISIBLE_DEVICES leaves, or one on the CPU where there is none."
      })
  private Workers workers;

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

  /** Reads {@code auto} or a number. */
  static final class WorkersConverter implements ITypeConverter<Workers> {
    private static final String AUTO = "auto";

    @Override
    public Workers convert(String text) {
      if (text.equals(AUTO)) {
        return Workers.onEach(VisibleGpus.find());
      }
      int count;
      try {
        count = Integer.parseInt(text);
      } catch (NumberFormatException e) {
        throw new TypeConversionException("\"" + text + "\" is neither auto nor a whole number");
      }
      if (count < 1) {
        throw new TypeConversionException("must be at least 1, got " + count);
      }
      return Workers.of(count);
    }
  }
}
