package io.bitloom.worker.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom model}: weight files and model directories. */
@Command(
    name = "model",
    mixinStandardHelpOptions = true,
    description = "Imports, inspects and converts weight files.",
    subcommands = {ModelImportCommand.class, ModelInspectCommand.class, ModelConvertCommand.class})
public final class ModelCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(), "say what to do: model import, model inspect or model convert");
  }
}
