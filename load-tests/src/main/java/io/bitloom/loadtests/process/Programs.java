package io.bitloom.loadtests.process;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** How programs are started: with the jars as they are, and their standard input held open. */
final class Programs {

  private Programs() {}

  static Process start(List<String> command, Path log) throws IOException {
    return start(command, log, Map.of());
  }

  /**
   * @param environment besides that of this process
   */
  static Process start(List<String> command, Path log, Map<String, String> environment)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.environment().put("BITLOOM_BUILD", "never");
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }
}
