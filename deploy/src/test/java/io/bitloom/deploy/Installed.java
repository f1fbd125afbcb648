package io.bitloom.deploy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Programs that a machine has or has not. */
final class Installed {

  /** The repository. */
  static final Path HOME =
      Path.of(System.getProperty("bitloom.home", "..")).toAbsolutePath().normalize();

  private static final long PATIENCE_SECONDS = 120;

  private Installed() {}

  /** Skips the test, and says so, on a machine that lacks a program. */
  static void assume(String program, String debianPackage) {
    boolean there =
        Arrays.stream(System.getenv("PATH").split(":"))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    if (!there) {
      System.out.println(
          "Skipped: there is no " + program + "; apt-get install " + debianPackage + " brings it");
    }
    Assumptions.assumeTrue(there, program + " is not installed");
  }

  /** What a program said, and by which exit code it ended. */
  record Said(int exitCode, String text) {}

  static Said run(Path folder, List<String> command) throws IOException, InterruptedException {
    Path out = Files.createTempFile("said", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(out.toFile())
              .start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException(command + " does not end");
      }
      return new Said(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
    } finally {
      Files.delete(out);
    }
  }
}
