package io.bitloom.training.run;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.image.PngEncoder;
import io.bitloom.engine.image.RgbImage;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a run writes down: {@code metrics.jsonl}, one object a line with {@code step}, {@code kind}
 * and numbers; {@code events/} for TensorBoard; {@code pictures/}.
 */
final class RunRecord implements AutoCloseable {
  private static final String METRICS = "metrics.jsonl";

  private final Path folder;
  private final Writer metrics;
  private final EventFile events;

  /**
   * Opens the records of a run.
   *
   * @param step where the run goes on; what an earlier process wrote of later steps is taken out
   */
  RunRecord(Path folder, long step) throws IOException {
    this.folder = folder;
    Path file = folder.resolve(METRICS);
    if (Files.exists(file)) {
      dropAfter(file, step);
    }
    metrics = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    events = EventFile.create(folder.resolve("events"), now());
  }

  private static void dropAfter(Path file, long step) throws IOException {
    Path shortened = file.resolveSibling(METRICS + ".part");
    try (Stream<String> lines = Files.lines(file);
        Writer out = Files.newBufferedWriter(shortened)) {
      for (String line : (Iterable<String>) lines::iterator) {
        if (isOf(line, step)) {
          out.write(line + "\n");
        }
      }
    }
    Files.move(shortened, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** The last line of a killed process may be half a line. */
  private static boolean isOf(String line, long step) {
    try {
      return line.endsWith("}")
          && JsonParser.parseString(line).getAsJsonObject().get("step").getAsLong() <= step;
    } catch (RuntimeException e) {
      return false;
    }
  }

  /** Shows somebody what a run's record holds; numbers that are not finite are left out. */
  static void replay(Path folder, RunObserver observer) throws IOException {
    Path file = folder.resolve(METRICS);
    if (!Files.exists(file)) {
      return;
    }
    try (Stream<String> lines = Files.lines(file)) {
      for (String line : (Iterable<String>) lines::iterator) {
        JsonObject json = JsonParser.parseString(line).getAsJsonObject();
        Map<String, Double> numbers = new LinkedHashMap<>();
        json.entrySet()
            .forEach(
                entry -> {
                  if (entry.getValue().getAsJsonPrimitive().isNumber()) {
                    numbers.put(entry.getKey(), entry.getValue().getAsDouble());
                  }
                });
        observer.recorded(json.get("kind").getAsString(), json.get("step").getAsLong(), numbers);
      }
    }
  }

  /** Writes numbers of a step down, those that are finite. */
  void numbers(String kind, long step, Map<String, Double> values) throws IOException {
    JsonObject line = new JsonObject();
    line.addProperty("step", step);
    line.addProperty("kind", kind);
    values.forEach(
        (name, value) -> {
          if (Double.isFinite(value)) {
            line.addProperty(name, value);
          } else {
            line.addProperty(name, value.toString());
          }
        });
    metrics.write(line + "\n");
    metrics.flush();
    Map<String, Double> tagged = new LinkedHashMap<>();
    values.forEach((name, value) -> tagged.put(kind + "/" + name, value));
    events.scalars(now(), step, tagged);
  }

  /**
   * Writes pictures of a step down, side by side.
   *
   * @return the file's content
   */
  byte[] pictures(long step, List<RgbImage> pictures) throws IOException {
    RgbImage grid = PictureGrid.of(pictures);
    byte[] png = PngEncoder.encode(grid, Map.of());
    Path file =
        folder.resolve("pictures").resolve(String.format(Locale.ROOT, "step-%09d.png", step));
    Files.createDirectories(file.getParent());
    Files.write(file, png);
    events.picture(now(), step, "pictures", grid.width(), grid.height(), png);
    return png;
  }

  private static double now() {
    return Instant.now().toEpochMilli() / 1000.0;
  }

  @Override
  public void close() throws IOException {
    metrics.close();
    events.close();
  }
}
