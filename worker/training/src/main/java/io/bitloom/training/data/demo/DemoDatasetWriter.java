package io.bitloom.training.data.demo;

import com.google.gson.JsonObject;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.PngEncoder;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Writes examples as a folder of files: {@code images/*.png}, {@code captions.jsonl}, and the same
 * lines by aspect ratio as the official trainer wants them, {@code splits/1.000_000000125.jsonl}.
 * Image paths are relative to the folder.
 */
public final class DemoDatasetWriter {
  private static final int FOLDER_SIZE = 1000;
  private static final int BLOCK = 256;

  private final DemoPictures pictures = new DemoPictures();
  private final Path folder;

  /** Writes into a folder, which is made where it is missing. */
  public DemoDatasetWriter(Path folder) {
    this.folder = folder;
  }

  /**
   * Writes examples 0 to count - 1, on all processors.
   *
   * @param progress is told the number of examples written so far
   * @throws IOException if a file cannot be written
   */
  public void write(DemoDataset dataset, int count, LongConsumer progress) throws IOException {
    Files.createDirectories(folder);
    Map<String, List<String>> splits = new TreeMap<>();
    try (BufferedWriter captions = Files.newBufferedWriter(folder.resolve("captions.jsonl"))) {
      for (int first = 0; first < count; first += BLOCK) {
        int end = Math.min(count, first + BLOCK);
        List<DemoExample> block =
            IntStream.range(first, end).mapToObj(index -> dataset.example(index)).toList();
        block.parallelStream().forEach(this::writePicture);
        for (DemoExample example : block) {
          String line = line(example).toString();
          captions.append(line).append('\n');
          splits.computeIfAbsent(ratio(example.schedule()), it -> new ArrayList<>()).add(line);
        }
        progress.accept(end);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    writeSplits(splits);
  }

  private void writeSplits(Map<String, List<String>> splits) throws IOException {
    Path target = Files.createDirectories(folder.resolve("splits"));
    for (Map.Entry<String, List<String>> split : splits.entrySet()) {
      String name =
          String.format(Locale.ROOT, "%s_%09d.jsonl", split.getKey(), split.getValue().size());
      WholeFile.write(target.resolve(name), String.join("\n", split.getValue()) + "\n");
    }
  }

  private void writePicture(DemoExample example) {
    Path file = folder.resolve(path(example));
    try {
      Files.createDirectories(file.getParent());
      WholeFile.write(file, PngEncoder.encode(pictures.draw(example), Map.of()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonObject line(DemoExample example) {
    JsonObject line = new JsonObject();
    line.addProperty("image_path", path(example));
    line.addProperty("h_div_w", Double.parseDouble(example.schedule().template()));
    line.addProperty("long_caption", example.caption());
    line.addProperty("long_caption_type", "bitloom demo-data");
    line.addProperty("text", example.caption());
    line.addProperty("short_caption_type", "bitloom demo-data");
    return line;
  }

  private static String path(DemoExample example) {
    return String.format(
        Locale.ROOT, "images/%04d/%07d.png", example.index() / FOLDER_SIZE, example.index());
  }

  private static String ratio(ScaleSchedule schedule) {
    return String.format(Locale.ROOT, "%.3f", Double.parseDouble(schedule.template()));
  }
}
