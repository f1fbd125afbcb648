package io.bitloom.worker.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The public numerical fixtures, which lie beside the repository; see docs. */
class ParityFixturesTest {
  /** {@code ../shared/parity} from the repository's root, two folders above this module. */
  static final Path FIXTURES =
      Path.of("")
          .toAbsolutePath()
          .getParent()
          .getParent()
          .resolveSibling("shared")
          .resolve("parity");

  @Test
  void theFixturesArePresent() {
    assumeTrue(Files.isDirectory(FIXTURES), "skipped: there are no fixtures in " + FIXTURES);
  }

  @TestFactory
  Stream<DynamicTest> everyCaseHolds() {
    if (!Files.isDirectory(FIXTURES)) {
      return Stream.empty();
    }
    List<CaseReport> reports = new ArrayList<>();
    FixtureSuite.exact(FIXTURES).run(reports::add);
    return reports.stream()
        .map(
            report ->
                DynamicTest.dynamicTest(
                    report.file() + " " + report.name(),
                    () ->
                        assertTrue(
                            report.holds(), () -> String.join("\n", VerifyCommand.lines(report)))));
  }
}
