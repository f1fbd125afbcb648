package io.bitloom.worker.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.junit.jupiter.api.Test;

class CaseReportTest {
  private final CaseReport report = new CaseReport("file", "case");

  @Test
  void theQuantityNearestToItsToleranceIsTheWorst() {
    try (Scope scope = Scope.open()) {
      var zero = Tensors.of(new float[] {0, 0}, 2);
      report.close("small", Tensors.of(new float[] {0, 1}, 2), zero, 100);
      report.close("near", Tensors.of(new float[] {0, -0.5f}, 2), zero, 1);
      report.equal("bits", zero, zero);
    }
    assertTrue(report.holds());
    assertEquals(new Measurement("near", 0.5, 1), report.worst().orElseThrow());
  }

  @Test
  void valuesThatDisagreeAreCountedWithoutFailingTheCase() {
    try (Scope scope = Scope.open()) {
      report.agreement(
          "bits", Tensors.of(new byte[] {1, 0, 1, 1}, 4), Tensors.of(new byte[] {1, 1, 1, 1}, 4));
    }
    assertTrue(report.holds());
    assertEquals(List.of(new Agreement("bits", 3, 4)), report.agreements());
    assertEquals(0.75, report.agreements().get(0).fraction());
  }

  @Test
  void oneElementOutOfToleranceFailsTheCase() {
    try (Scope scope = Scope.open()) {
      report.close("x", Tensors.of(new float[] {0, 2}, 2), Tensors.of(new float[] {0, 0}, 2), 1);
    }
    assertFalse(report.holds());
  }

  @Test
  void aValueThatIsNoNumberFailsTheCase() {
    try (Scope scope = Scope.open()) {
      report.close("x", Tensors.of(new float[] {0, Float.NaN}, 2), Tensors.of(new float[2], 2), 1);
    }
    assertFalse(report.holds());
    assertEquals("x", report.worst().orElseThrow().quantity());
  }

  @Test
  void exactQuantitiesCountDifferences() {
    try (Scope scope = Scope.open()) {
      report.equal(
          "bits", Tensors.of(new byte[] {0, 1, 1}, 3), Tensors.of(new byte[] {0, 0, 0}, 3));
    }
    assertEquals(List.of(new Measurement("bits", 2, 0)), report.measurements());
    assertFalse(report.holds());
  }

  @Test
  void anotherShapeFailsTheCaseWithoutBroadcasting() {
    try (Scope scope = Scope.open()) {
      report.close("x", Tensors.of(new float[] {1}, 1), Tensors.of(new float[] {1, 1}, 2), 1);
    }
    assertEquals(List.of("x: computed shape [1], expected [2]"), report.faults());
  }

  @Test
  void picturesMayBeOffByAStepInAFewValues() {
    try (Scope scope = Scope.open()) {
      var expected = Tensors.of(new byte[] {(byte) 200, 1, 2, 3}, 4);
      report.picture("image", Tensors.of(new byte[] {(byte) 201, 1, 2, 3}, 4), expected, 1, 0.25);
      assertTrue(report.holds());
      report.picture("image", Tensors.of(new byte[] {(byte) 202, 1, 2, 3}, 4), expected, 1, 0.25);
      assertFalse(report.holds());
    }
  }

  @Test
  void whereTheStoredPictureIsMissedFloat64Decides() {
    try (Scope scope = Scope.open()) {
      var stored = Tensors.of(new byte[] {7, 1, 2, 3}, 4);
      var computed = Tensors.of(new byte[] {8, 2, 2, 3}, 4);
      var exact = Tensors.of(new byte[] {8, 1, 2, 3}, 4);
      report.picture("image", computed, stored, 1, 0.25, () -> exact);
      assertTrue(report.holds()); // one of four is neither
      report.picture("image", computed, stored, 1, 0.2, () -> exact);
      assertFalse(report.holds());
    }
  }
}
