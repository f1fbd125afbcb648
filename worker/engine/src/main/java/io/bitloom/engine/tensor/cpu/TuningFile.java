package io.bitloom.engine.tensor.cpu;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.bitloom.engine.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.InferenceMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was measured to be the quickest on one kind of processor, for all processes that find the
 * file. A choice that is noted is never made again, so that they agree; deleting the file makes all
 * of them anew.
 *
 * <p>Where the file cannot be read or written, choices hold for this process.
 */
final class TuningFile {
  private static final Logger log = LoggerFactory.getLogger(TuningFile.class);
  private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

  /**
   * A choice.
   *
   * @param fastest the name of what was chosen
   * @param milliseconds what each candidate took
   */
  record Choice(String fastest, Map<String, Double> milliseconds) {
    private static final int ROUNDS = 2;

    /**
     * Runs each candidate in turn, once to warm up and then for its fastest time.
     *
     * @param preferred is chosen unless another takes less than {@code worthwhile} of its time
     */
    static Choice measured(String preferred, double worthwhile, Map<String, Runnable> candidates) {
      Map<String, Double> fastest = new TreeMap<>();
      try (InferenceMode inference = new InferenceMode(true)) {
        for (int round = 0; round <= ROUNDS; round++) {
          for (Map.Entry<String, Runnable> candidate : candidates.entrySet()) {
            double time = milliseconds(candidate.getValue());
            if (round > 0) {
              fastest.merge(candidate.getKey(), time, Math::min);
            }
          }
        }
      }
      String best = preferred;
      double bound = worthwhile * fastest.get(preferred);
      for (Map.Entry<String, Double> measured : fastest.entrySet()) {
        if (measured.getValue() < bound) {
          best = measured.getKey();
          bound = measured.getValue();
        }
      }
      return new Choice(best, fastest);
    }

    private static double milliseconds(Runnable run) {
      try (Scope scope = Scope.open()) {
        long start = System.nanoTime();
        run.run();
        return Math.round((System.nanoTime() - start) / 1e4) / 1e2;
      }
    }
  }

  /** The file's content; Gson makes it. */
  private record Content(String processor, Map<String, Choice> choices) {}

  private final Path file;
  private final String processor;

  /**
   * @param processor names the kind of processor and everything else that a choice depends on
   */
  TuningFile(Path file, String processor) {
    this.file = file;
    this.processor = processor;
  }

  /** The file of this processor, beside the native libraries. */
  static TuningFile ofThisProcessor() {
    String processor = Processor.identity();
    String name = "bitloom-tuning-" + Integer.toHexString(processor.hashCode()) + ".json";
    try {
      return new TuningFile(Loader.getCacheDir().toPath().resolve(name), processor);
    } catch (IOException e) {
      throw new UncheckedIOException("there is no JavaCPP cache", e); // the natives lie in it
    }
  }

  /** All choices by the name of what they are for. */
  Map<String, Choice> choices() {
    if (!Files.exists(file)) {
      return new TreeMap<>();
    }
    try {
      Content content = GSON.fromJson(Files.readString(file), Content.class);
      if (content != null && processor.equals(content.processor()) && content.choices() != null) {
        content.choices().values().removeIf(it -> it == null || it.fastest() == null);
        return new TreeMap<>(content.choices());
      }
    } catch (IOException | JsonParseException e) {
      log.warn("{} cannot be read and is written anew: {}", file, e.getMessage());
    }
    return new TreeMap<>();
  }

  /** The noted choice, or a new one. Only one process measures at a time, so that none disturbs. */
  Choice choose(String name, Supplier<Choice> measurement) {
    Choice noted = choices().get(name);
    if (noted != null) {
      return noted;
    }
    try {
      Files.createDirectories(file.getParent());
      synchronized (TuningFile.class) { // the lock is one of processes
        try (FileChannel channel = open();
            FileLock lock = channel.lock()) {
          return chooseAlone(name, measurement);
        }
      }
    } catch (IOException e) {
      log.debug("{} cannot be written, so choices hold for this process", file, e);
      return measurement.get();
    }
  }

  private Choice chooseAlone(String name, Supplier<Choice> measurement) throws IOException {
    Map<String, Choice> choices = choices();
    Choice noted = choices.get(name);
    if (noted != null) {
      return noted;
    }
    Choice choice = measurement.get();
    choices.put(name, choice);
    Path unfinished = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".new");
    Files.writeString(unfinished, GSON.toJson(new Content(processor, choices)));
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    return choice;
  }

  private FileChannel open() throws IOException {
    return FileChannel.open(
        file.resolveSibling(file.getFileName() + ".lock"),
        StandardOpenOption.CREATE,
        StandardOpenOption.WRITE);
  }

  Path path() {
    return file;
  }

  /** Forgets all choices. */
  void clear() throws IOException {
    Files.deleteIfExists(file);
  }
}
