package io.bitloom.worker;

import io.bitloom.common.cli.ProgramCommands;
import java.util.Map;
import picocli.CommandLine;

/** {@code ./bitloom worker|generate|verify|…}. */
public final class WorkerCommands implements ProgramCommands {

  @Override
  public Map<String, CommandLine> commands() {
    return Main.commandLine().getSubcommands();
  }
}
