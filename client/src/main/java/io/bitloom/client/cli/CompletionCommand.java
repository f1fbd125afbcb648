package io.bitloom.client.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "completion",
    description = {
      "Print a script by which a shell completes commands and options.",
      "bash and zsh: source <(./bitloom completion bash)",
      "fish: ./bitloom completion fish | source"
    })
final class CompletionCommand {

  private static final String NAME = "bitloom";

  @Spec private CommandSpec spec;

  @Command(name = "bash", description = "For bash.")
  int bash() {
    return print(AutoComplete.bash(NAME, AllCommands.commandLine()));
  }

  /** The script for bash sees which shell it is in. */
  @Command(name = "zsh", description = "For zsh.")
  int zsh() {
    return bash();
  }

  @Command(name = "fish", description = "For fish.")
  int fish() {
    return print(FishCompletion.of(NAME, AllCommands.commandLine().getCommandSpec()));
  }

  private int print(String script) {
    spec.commandLine().getOut().print(script);
    spec.commandLine().getOut().flush();
    return ExitCode.DONE;
  }
}
