package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.TorchDevice;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SittingTest {
  private static final JsonObject FIRST = new Row().with("batch", 16).json();
  private static final JsonObject SECOND = new Row().with("batch", 1).json();
  private static final Callable<JsonObject> FIGURES = () -> new Row().with("s", 1.5).json();

  @TempDir Path folder;

  private Sitting sitting(long deadline) throws IOException {
    Sitting.Plan plan =
        new Sitting.Plan(
            TorchDevice.CPU,
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            new Repeats.Limit(1, 0),
            "python3");
    return new Sitting(
        plan, folder.resolve("model.json"), folder, deadline, new PrintWriter(new StringWriter()));
  }

  private Sitting sitting() throws IOException {
    return sitting(System.nanoTime() + TimeUnit.HOURS.toNanos(1));
  }

  @Test
  void whatDoesNotFitIsARowAndTheRestIsMeasured() throws IOException {
    try (Sitting sitting = sitting()) {
      sitting.measure(
          "Drawing",
          FIRST,
          () -> {
            throw new RuntimeException("CUDA out of memory. Tried to allocate 9 GiB\nframe #0");
          });
      sitting.measure("Drawing", SECOND, FIGURES);
    }

    String report = Files.readString(folder.resolve("report.md"));
    assertTrue(report.contains("| 16 | CUDA out of memory. Tried to allocate 9 GiB |  |"), report);
    assertTrue(report.contains("| 1 |  | 1.5 |"), report);
  }

  @Test
  void aLibraryThatIsNotThereIsARow() throws IOException {
    try (Sitting sitting = sitting()) {
      JsonObject row =
          sitting.measure(
              "Drawing",
              FIRST,
              () -> {
                throw new UnsatisfiedLinkError("libcupti.so.13: cannot open");
              });

      assertTrue(SittingJournal.isFailed(row), row.toString());
    }
  }

  @Test
  void theNextSittingMeasuresOnlyWhatIsLeft() throws IOException {
    try (Sitting sitting = sitting()) {
      sitting.measure("Drawing", FIRST, FIGURES);
    }
    Callable<JsonObject> again =
        () -> {
          throw new AssertionError("measured again");
        };
    try (Sitting sitting = sitting()) {
      assertEquals(1.5, sitting.measure("Drawing", FIRST, again).get("s").getAsDouble());
      assertThrows(AssertionError.class, () -> sitting.measure("Drawing", SECOND, again));
    }
  }

  @Test
  void whenTheTimeIsUpNothingIsBegun() throws IOException {
    try (Sitting sitting = sitting(System.nanoTime() - 1)) {
      assertThrows(Sitting.TimeUpException.class, () -> sitting.measure("Drawing", FIRST, FIGURES));
    }

    assertFalse(SittingJournal.open(folder).has("Drawing " + FIRST));
    assertTrue(Files.exists(folder.resolve("report.md")));
  }
}
