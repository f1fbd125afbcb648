package io.bitloom.client.cli;

import io.bitloom.common.cli.ProgramCommands;
import java.util.ServiceLoader;
import picocli.CommandLine;

/** The commands of {@code ./bitloom} with those of the other programs on the class path. */
final class AllCommands {

  private AllCommands() {}

  static CommandLine commandLine() {
    CommandLine all = Bitloom.commandLine();
    for (ProgramCommands program : ServiceLoader.load(ProgramCommands.class)) {
      program
          .commands()
          .forEach(
              (name, command) -> {
                command.getCommandSpec().name(name);
                all.getCommandSpec().removeSubcommand(name);
                all.addSubcommand(name, command);
              });
    }
    return all;
  }
}
