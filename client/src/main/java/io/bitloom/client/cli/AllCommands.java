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
                add(all, name, command);
              });
    }
    return all;
  }

  /** A group of which this program has some commands itself gets the others. */
  private static void add(CommandLine group, String name, CommandLine command) {
    CommandLine own = group.getSubcommands().get(name);
    if (own != null && !own.getSubcommands().isEmpty()) {
      command.getSubcommands().forEach((sub, line) -> add(own, sub, line));
      return;
    }
    group.getCommandSpec().removeSubcommand(name);
    group.addSubcommand(name, command);
  }
}
