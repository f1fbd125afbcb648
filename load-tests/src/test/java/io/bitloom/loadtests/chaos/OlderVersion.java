package io.bitloom.loadtests.chaos;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.loadtests.process.Distribution;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** The version of Bitloom whose coordinators know data version 1 only, built from the history. */
final class OlderVersion {

  /** The last commit before data had a version. */
  private static final String COMMIT = "2642df0634d53572f10a803096fdfd4b6e4b13f4";

  private static final Path REPOSITORY = Path.of(System.getProperty("bitloom.home", ".."));

  private OlderVersion() {}

  /**
   * Builds it, unless the distribution is named by {@code -Dbitloom.older=…} or was built before;
   * the test is skipped where the history does not reach back so far.
   */
  static Distribution built() throws IOException, InterruptedException {
    String given = System.getProperty("bitloom.older");
    if (given != null) {
      return Distribution.at(Path.of(given));
    }
    Path built = Path.of("target", "older-" + COMMIT.substring(0, 12)).toAbsolutePath();
    if (!Files.exists(built)) {
      assumeTrue(
          hasHistory(),
          "skipped: the rolling upgrade needs commit "
              + COMMIT
              + ", which this copy of Bitloom"
              + " does not have (a full clone has it)");
      build(built);
    }
    return Distribution.at(built);
  }

  private static boolean hasHistory() throws InterruptedException {
    try {
      run(REPOSITORY, List.of("git", "cat-file", "-e", COMMIT + "^{commit}"));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Keeps what is started, and no sources. */
  private static void build(Path built) throws IOException, InterruptedException {
    Path sources = Files.createTempDirectory("bitloom-older");
    try {
      String archive = sources.resolve("older.tar").toString();
      run(REPOSITORY, List.of("git", "archive", "-o", archive, COMMIT));
      run(sources, List.of("tar", "-xf", archive));
      List<String> maven =
          new ArrayList<>(List.of("mvn", "-q", "-o", "-ntp", "-DskipTests", "-pl", "coordinator"));
      String libraries = System.getProperty("localRepository"); // as Maven tells its tests
      if (libraries != null) {
        maven.add("-Dmaven.repo.local=" + libraries);
      }
      maven.addAll(List.of("-am", "package"));
      run(sources, maven);
      Path begun = Files.createTempDirectory(Files.createDirectories(Path.of("target")), "older");
      Path coordinator = Files.createDirectories(begun.resolve("coordinator/target"));
      run(sources, List.of("cp", "bitloom", begun.toAbsolutePath().toString()));
      run(
          sources.resolve("coordinator/target"),
          List.of(
              "cp",
              "-r",
              "bitloom-coordinator.jar",
              "bitloom-coordinator-tests.jar",
              "lib",
              coordinator.toAbsolutePath().toString()));
      Files.move(begun, built, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      run(Path.of("."), List.of("rm", "-rf", sources.toString()));
    }
  }

  private static void run(Path folder, List<String> command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + said);
    }
  }
}
