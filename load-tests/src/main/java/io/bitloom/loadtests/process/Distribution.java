package io.bitloom.loadtests.process;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A built repository, whose programs can be started: this one or that of an older version.
 *
 * @param home where its {@code bitloom} is
 * @param workerClassPath what a fake worker of this version needs
 */
public record Distribution(Path home, String workerClassPath) {

  /** The one that this class belongs to. */
  public static Distribution here() {
    Path home =
        Path.of(
            Optional.ofNullable(System.getProperty("bitloom.home"))
                .or(() -> Optional.ofNullable(System.getenv("BITLOOM_HOME")))
                .orElse(".."));
    return new Distribution(
        home,
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
  }

  /** Another one, whose coordinator has been built. */
  public static Distribution at(Path home) {
    Path target = home.toAbsolutePath().resolve("coordinator/target");
    return new Distribution(
        home.toAbsolutePath(),
        String.join(
            ":",
            target.resolve("bitloom-coordinator.jar").toString(),
            target.resolve("bitloom-coordinator-tests.jar").toString(),
            target.resolve("lib/*").toString()));
  }

  Path bitloom() {
    return home.resolve("bitloom");
  }
}
