package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.loadtests.BitloomProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pack of this build on a machine that has nothing: no Java, no variables, few programs. */
class GpuPackIT {
  private static final long PATIENCE_S = 240;

  /** All that a machine must have; python3 is looked for and not needed. */
  private static final List<String> PROGRAMS =
      List.of("sh", "cat", "cmp", "cp", "dirname", "gzip", "rm", "sed", "sha256sum", "tar", "wc");

  private static final List<String> SMALL =
      List.of(
          "--device=cpu",
          "--model=tiny",
          "--size=0.06M",
          "--batch=1,2",
          "--train=tiny",
          "--runs=1",
          "--seconds=0",
          "--python=no-python");

  @TempDir Path folder;

  @Test
  void whatIsCarriedMeasuresAndGoesOnAndSaysWhatIsDamaged() throws Exception {
    Path packed = folder.resolve("packed");
    BitloomProcess pack =
        BitloomProcess.start(
            folder, "pack", List.of("bench", "gpu", "pack", "--out", "packed", "--part", "50"));
    assertEquals(0, pack.exitCode(), pack::said);
    assertTrue(pack.out().contains("This build is for CPUs"), pack::said);
    Path there = Files.createDirectory(folder.resolve("there"));
    try (Stream<Path> parts = Files.list(packed)) {
      for (Path part : parts.sorted().toList()) {
        assertTrue(Files.size(part) <= 50_000_000, part + " has " + Files.size(part) + " bytes");
        Files.copy(part, there.resolve(part.getFileName()));
      }
    }
    bareMachine();

    Path part = there.resolve("part-001");
    byte[] whole = Files.readAllBytes(part);
    Files.write(part, Arrays.copyOf(whole, whole.length - 1));
    Said damaged = run(there, SMALL);
    assertEquals(1, damaged.status(), damaged.text());
    assertTrue(damaged.text().contains("part-001: FAILED"), damaged.text());
    Files.write(part, whole);

    Said early = run(there, with("--limit=0", "--step=machine"));
    assertEquals(3, early.status(), early.text());
    Said all = run(there, SMALL);
    assertEquals(0, all.status(), all.text());

    JsonObject report = report(there);
    Set<String> sections =
        Set.of(
            "Products of two square matrices",
            "Machine",
            "Parity of what is drawn",
            "Parity of the tokenizer",
            "Drawing",
            "Where the time goes",
            "Operators",
            "A step of training",
            "Operators, by the torch of Python");
    JsonObject tables = report.getAsJsonObject("sections");
    assertEquals(new TreeSet<>(sections), new TreeSet<>(tables.keySet()), all.text());
    checkParity(tables);
    checkDrawing(tables.getAsJsonArray("Drawing"));
    checkShares(tables.getAsJsonArray("Where the time goes"));
    for (JsonElement step : tables.getAsJsonArray("A step of training")) {
      assertTrue(positive(step, "MFU, of products' rate"), step.toString());
      assertTrue(
          step.getAsJsonObject().get("losses and gradients are finite").getAsBoolean(),
          step.toString());
    }
    JsonArray yardstick = tables.getAsJsonArray("Operators, by the torch of Python");
    assertEquals(1, yardstick.size(), yardstick.toString());
    assertTrue(yardstick.get(0).getAsJsonObject().has("failed"), yardstick.toString());
    assertEquals(4, report.getAsJsonArray("targets").size());
    assertFalse(report.getAsJsonArray("targets").get(0).getAsJsonObject().has("measured"));
    String page = Files.readString(there.resolve("sitting/report.md"));
    assertTrue(page.contains("| not measured |"), page);
    assertTrue(page.contains("\n| tiny | 0.06M | F32 | QUALITY | 2 | "), page);

    byte[] journal = Files.readAllBytes(there.resolve("sitting/sitting.jsonl"));
    Said again = run(there, SMALL);
    assertEquals(0, again.status(), again.text());
    assertEquals(
        new String(journal, StandardCharsets.UTF_8),
        Files.readString(there.resolve("sitting/sitting.jsonl")));
  }

  private static void checkParity(JsonObject tables) {
    JsonArray drawn = tables.getAsJsonArray("Parity of what is drawn");
    assertEquals(6, drawn.size());
    for (JsonElement row : drawn) {
      assertTrue(row.getAsJsonObject().get("holds").getAsBoolean(), row.toString());
      boolean same = row.getAsJsonObject().get("type").getAsString().equals("F32");
      double error = row.getAsJsonObject().get("largest error of the first logits").getAsDouble();
      assertEquals(same, error == 0, row.toString()); // the device is the CPU here
    }
    for (JsonElement row : tables.getAsJsonArray("Parity of the tokenizer")) {
      assertTrue(positive(row, "largest decoded"), row.toString());
    }
  }

  private static void checkDrawing(JsonArray rows) {
    assertEquals(4, rows.size(), rows.toString()); // two presets, two batches
    for (JsonElement row : rows) {
      JsonObject cells = row.getAsJsonObject();
      double seconds = cells.get(DrawingStep.LATENCY).getAsDouble();
      assertEquals(
          cells.get(DrawingStep.BATCH).getAsInt(),
          seconds * cells.get(DrawingStep.IMAGES_PER_SECOND).getAsDouble(),
          1e-6,
          row.toString());
      assertTrue(cells.get("transformer, s").getAsDouble() < seconds, row.toString());
      // 265 tokens before the last scale, keys and values, 4 blocks, 64 channels, 2 rows, 4 bytes
      assertEquals(
          265 * 2 * 4 * 64 * 2 * 4 / 1e9,
          cells.get(DrawingStep.CACHE).getAsDouble(),
          1e-12,
          row.toString());
    }
  }

  private static void checkShares(JsonArray rows) {
    assertEquals(2, rows.size(), rows.toString());
    for (JsonElement row : rows) {
      double sum = 0;
      for (String part :
          List.of(
              "matrix products",
              "attention",
              "norms, rotations, gates",
              "decoder",
              "everything else")) {
        sum += row.getAsJsonObject().get(part + ", share").getAsDouble();
      }
      assertEquals(1, sum, 1e-6, row.toString());
      assertTrue(positive(row, "matrix products, share"), row.toString());
    }
  }

  private static boolean positive(JsonElement row, String cell) {
    return row.getAsJsonObject().has(cell) && row.getAsJsonObject().get(cell).getAsDouble() > 0;
  }

  private static JsonObject report(Path there) throws IOException {
    return JsonParser.parseString(Files.readString(there.resolve("sitting/report.json")))
        .getAsJsonObject();
  }

  private static List<String> with(String... more) {
    List<String> options = new ArrayList<>(SMALL);
    options.addAll(List.of(more));
    return options;
  }

  /** A folder with the programs that a pack may use, and no other. */
  private void bareMachine() throws IOException {
    Path programs = Files.createDirectory(folder.resolve("bin"));
    for (String program : PROGRAMS) {
      Path found =
          Stream.of("/usr/bin", "/bin")
              .map(place -> Path.of(place, program))
              .filter(Files::isExecutable)
              .min(Comparator.naturalOrder())
              .orElseThrow(() -> new IOException("this machine has no " + program));
      Path called = programs.resolve(program);
      Files.writeString(called, "#!/bin/sh\nexec " + found + " \"$@\"\n");
      Files.setPosixFilePermissions(called, PosixFilePermissions.fromString("rwx------"));
    }
  }

  private record Said(int status, String text) {}

  private Said run(Path there, List<String> options) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", there.resolve("run").toString()));
    command.addAll(options);
    command.set(0, folder.resolve("bin/sh").toString());
    Path log = folder.resolve("run.log");
    ProcessBuilder builder = new ProcessBuilder(command).directory(there.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", folder.resolve("bin").toString());
    builder.environment().put("HOME", folder.resolve("nowhere").toString());
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertTrue(process.waitFor(PATIENCE_S, TimeUnit.SECONDS), () -> "run does not end");
      return new Said(process.exitValue(), Files.readString(log));
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
