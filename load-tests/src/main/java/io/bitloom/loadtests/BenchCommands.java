package io.bitloom.loadtests;

import io.bitloom.common.cli.ProgramCommands;
import java.util.Map;
import picocli.CommandLine;

/** {@code ./bitloom bench}. */
public final class BenchCommands implements ProgramCommands {

  @Override
  public Map<String, CommandLine> commands() {
    return Map.of("bench", new CommandLine(new Main()));
  }
}
