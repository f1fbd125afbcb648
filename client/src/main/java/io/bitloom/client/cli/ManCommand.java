package io.bitloom.client.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "man",
    description = {
      "Write a manual page for every command.",
      "To be read by: man -M DIR bitloom-submit"
    })
final class ManCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "DIR",
      description = "A folder for manual pages, such as ~/.local/share/man; they go to DIR/man1.")
  private Path folder;

  @Override
  public Integer call() throws IOException {
    Path section = Files.createDirectories(folder.resolve("man1"));
    CommandSpec root = AllCommands.commandLine().getCommandSpec();
    List<CommandSpec> commands = ManPage.withSubcommands(root);
    for (CommandSpec command : commands) {
      Files.writeString(
          section.resolve(ManPage.name(command) + ".1"), ManPage.of(command, root.version()[0]));
    }
    spec.commandLine().getOut().println(commands.size() + " pages in " + section);
    return ExitCode.DONE;
  }
}
