package io.bitloom.deploy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A program that a test runs to its end; what it says goes to the test's output, too. */
final class Execution {

  private final ProcessBuilder builder;

  private Execution(List<String> words) {
    builder = new ProcessBuilder(words).redirectErrorStream(true);
  }

  static Execution of(List<String> words) {
    return new Execution(words);
  }

  Execution environment(String name, String value) {
    builder.environment().put(name, value);
    return this;
  }

  /** Its output; a failure is one of the test. */
  String succeed() throws IOException, InterruptedException {
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    System.out.print(said);
    if (process.waitFor() != 0) {
      throw new AssertionError(builder.command() + " failed: " + said);
    }
    return said;
  }
}
