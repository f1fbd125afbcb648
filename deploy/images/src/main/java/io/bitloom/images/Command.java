package io.bitloom.images;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Runs a program of this machine and waits for its end. */
final class Command {

  private Command() {}

  /**
   * Its output.
   *
   * @throws IOException if it cannot be started or fails; the message has what it said
   */
  static String run(Path folder, List<String> words) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(words).directory(folder.toFile()).redirectErrorStream(true);
    // File dates and messages must not depend on who builds.
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", words) + " failed: " + said.strip());
    }
    return said;
  }
}
