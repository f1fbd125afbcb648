package io.bitloom.client.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom model}: what the cluster keeps, and what is done to weight files here. */
@Command(
    name = "model",
    description = "Keep models in a cluster; import, inspect and convert weight files.",
    subcommands = {
      ModelCommands.Push.class,
      ModelCommands.Pull.class,
      ModelCommands.Versions.class,
      ModelCommands.Load.class,
      ModelCommands.Unload.class,
      ModelCommands.SetLabel.class,
      ModelCommands.Delete.class,
      RoutedCommands.ModelImport.class,
      RoutedCommands.ModelInspect.class,
      RoutedCommands.ModelConvert.class
    })
final class ModelGroup implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Override
  public Integer call() {
    throw new ParameterException(
        command.commandLine(),
        "say what to do, for example: model push DIR, model list, model import DIR");
  }
}
