package io.bitloom.client.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How a command talks. */
final class OutputOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(names = "--json", description = "Write one JSON object a line, for machines.")
  private boolean json;

  /** {@code ./bitloom} sets the width if standard error is a terminal. */
  Console console() {
    int columns =
        "dumb".equals(System.getenv("TERM")) ? 0 : Integer.getInteger("bitloom.columns", 0);
    String noColor = System.getenv("NO_COLOR");
    CommandLine commandLine = command.commandLine();
    return new Console(
        commandLine.getOut(),
        commandLine.getErr(),
        json,
        columns,
        noColor == null || noColor.isEmpty());
  }
}
