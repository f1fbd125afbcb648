package io.bitloom.common.cli;

import java.util.Map;
import picocli.CommandLine;

/**
 * The commands that a program runs for {@code ./bitloom}, for whoever writes of all commands. A
 * service of {@link java.util.ServiceLoader}.
 */
public interface ProgramCommands {

  /** Commands by the name under which {@code ./bitloom} has them. */
  Map<String, CommandLine> commands();
}
