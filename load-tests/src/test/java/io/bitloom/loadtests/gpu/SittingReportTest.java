package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SittingReportTest {
  private final List<SittingJournal.Entry> entries = new ArrayList<>();

  private void drawn(String preset, int batch, double imagesPerSecond, double latency) {
    entries.add(
        new SittingJournal.Entry(
            DrawingStep.SECTION,
            identity(preset, batch)
                .with(DrawingStep.IMAGES_PER_SECOND, imagesPerSecond)
                .with(DrawingStep.LATENCY, latency)
                .with(DrawingStep.CACHE, 3.36)
                .json()));
  }

  private static Row identity(String preset, int batch) {
    return new Row()
        .with("model", "2b")
        .with("size", "1M")
        .with("type", "BF16")
        .with("preset", preset)
        .with(DrawingStep.BATCH, batch);
  }

  private String report() {
    return new SittingReport(entries).markdown();
  }

  @Test
  void withoutFiguresNoTargetIsReached() {
    String report = report();

    assertFalse(report.contains("| yes |"), report);
    assertTrue(report.contains("images/s | ≥ 3.5 | not measured |  |"), report);
  }

  @Test
  void targetsStandBesideTheBestOfTheirRows() {
    drawn("QUALITY", 1, 2.6, 0.385);
    drawn("QUALITY", 8, 3.61, 2.2);
    drawn("QUALITY", 2, 3.1, 0.6);
    drawn("FAST", 8, 5.2, 1.5);
    drawn("FAST", 1, 9.9, 0.1);

    String report = report();

    assertTrue(
        report.contains("| 2B, 1024², guidance 4, in batches: images/s | ≥ 3.5 | 3.61 | yes |"),
        report);
    assertTrue(
        report.contains("| 2B, 1024², guidance 4, one image: s | ≤ 0.4 | 0.385 | yes |"), report);
    assertTrue(
        report.contains("| 2B, 1024², FAST, in batches: images/s | ≥ 5.5 | 5.2 | no |"), report);
    assertTrue(
        report.contains("| 2B, 1024², guidance 4: GB of KV cache an image | ≤ 3.4 | 3.36 | yes |"),
        report);
  }

  @Test
  void aRowThatFailedStandsInTheTableOfItsSection() {
    drawn("QUALITY", 1, 2.6, 0.385);
    JsonObject identity = identity("QUALITY", 16).json();
    entries.add(
        new SittingJournal.Entry(
            DrawingStep.SECTION, SittingJournal.failed(identity, "out of | memory")));

    String report = report();

    assertTrue(report.contains("| KV cache an image, GB | failed |\n"), report);
    assertTrue(
        report.contains("| 2b | 1M | BF16 | QUALITY | 16 |  |  |  | out of \\| memory |\n"),
        report);
  }
}
