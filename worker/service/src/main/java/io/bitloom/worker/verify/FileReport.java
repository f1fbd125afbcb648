package io.bitloom.worker.verify;

import io.bitloom.engine.tensor.Scope;
import java.util.function.Consumer;

/** Collects the cases of one file and hands each to the sink when it is done. */
final class FileReport {
  private final String file;
  private final Consumer<CaseReport> sink;
  private int cases;

  FileReport(String file, Consumer<CaseReport> sink) {
    this.file = file;
    this.sink = sink;
  }

  /**
   * Runs one case in a scope of its own. An exception is a fault of this case and does not keep the
   * others from running.
   */
  void testCase(String name, Consumer<CaseReport> body) {
    CaseReport report = new CaseReport(file, name);
    try (Scope scope = Scope.open()) {
      body.accept(report);
      if (report.measurements().isEmpty()
          && report.agreements().isEmpty()
          && report.faults().isEmpty()
          && report.notChecked().isEmpty()) {
        report.fault("has nothing to compare");
      }
    } catch (RuntimeException e) {
      report.fault(String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString()));
    }
    cases++;
    sink.accept(report);
  }

  /** Reports that something is wrong with the file as a whole or with a part of it. */
  void fault(String part, String reason) {
    testCase(part, report -> report.fault(reason));
  }

  /** Whether no case was opened. */
  boolean isEmpty() {
    return cases == 0;
  }
}
