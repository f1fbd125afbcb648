package io.bitloom.coordinator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.TestCoordinator;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Programs of Node, which machines may lack. */
public final class NodeProgram {

  private NodeProgram() {}

  /** What a program says; a test fails if the program does. */
  public static String run(Path folder, String... command) throws Exception {
    Ended ended = end(folder, command);
    assertEquals(0, ended.code(), ended.said());
    return ended.said();
  }

  /** Skips the test, with a line that says why, unless a command works here. */
  public static void require(Path folder, String... command) throws Exception {
    String problem;
    try {
      Ended ended = end(folder, command);
      problem = ended.code() == 0 ? "" : ended.said();
    } catch (IOException e) {
      problem = e.getMessage();
    }
    if (!problem.isEmpty()) {
      String skipped = "SKIPPED: '" + String.join(" ", command) + "' does not work: " + problem;
      System.out.println(skipped);
      Assumptions.abort(skipped);
    }
  }

  private record Ended(int code, String said) {}

  private static Ended end(Path folder, String... command) throws Exception {
    File output = Files.createTempFile(folder, "said", ".txt").toFile();
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output)
            .start();
    if (!process.waitFor(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(String.join(" ", command) + " does not end");
    }
    return new Ended(process.exitValue(), Files.readString(output.toPath()).strip());
  }
}
