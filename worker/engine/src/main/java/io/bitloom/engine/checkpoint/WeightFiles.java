package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds weight files in a folder, by their names. */
public final class WeightFiles {
  private static final Pattern INDEX = Pattern.compile(".*\\.index\\.json");
  private static final Pattern STORED = Pattern.compile(".*\\.(safetensors|pth|pt|bin|ckpt)");
  private static final Pattern RULE = Pattern.compile(".*\\.rule\\.json");

  /** Other files of these names that Hugging Face and PyTorch put beside weights. */
  private static final Set<String> NO_WEIGHTS =
      Set.of("training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth");

  private WeightFiles() {}

  /**
   * The weight files of a folder in the order of their names; a sharded set is its index alone.
   *
   * @throws WeightsException if the folder cannot be read or an index is malformed
   */
  public static List<Path> in(Path folder) {
    List<Path> found = new ArrayList<>();
    Set<Path> shards = new HashSet<>();
    for (Path file : files(folder)) {
      String name = file.getFileName().toString();
      if (INDEX.matcher(name).matches()) {
        shards.addAll(ShardIndex.shardsOf(file));
        found.add(file);
      } else if (RULE.matcher(name).matches()
          || STORED.matcher(name).matches() && !NO_WEIGHTS.contains(name)) {
        found.add(file);
      }
    }
    found.removeAll(shards);
    return found;
  }

  /**
   * The one weight file of a folder. Where a model lies there in both of Hugging Face's formats, it
   * is the safetensors one.
   */
  static Path only(Path folder) {
    List<Path> found = in(folder);
    List<Path> safetensors =
        found.stream().filter(file -> file.toString().contains(".safetensors")).toList();
    List<Path> candidates = safetensors.size() == 1 ? safetensors : found;
    if (candidates.size() != 1) {
      throw new WeightsException(
          folder.toString(),
          candidates.isEmpty()
              ? "holds no weight file"
              : "holds " + candidates.size() + " weight files, name one: " + names(candidates));
    }
    return candidates.get(0);
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new WeightsException(folder.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static List<Path> names(List<Path> files) {
    return files.stream().map(Path::getFileName).toList();
  }
}
