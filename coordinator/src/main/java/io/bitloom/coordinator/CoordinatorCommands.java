package io.bitloom.coordinator;

import io.bitloom.common.cli.ProgramCommands;
import java.util.Map;
import picocli.CommandLine;

/** {@code ./bitloom coordinator}. */
public final class CoordinatorCommands implements ProgramCommands {

  @Override
  public Map<String, CommandLine> commands() {
    return Map.of("coordinator", Main.commandLine());
  }
}
