package io.bitloom.engine.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Opens a weight file of any known format. */
public final class Checkpoints {
  private Checkpoints() {}

  /**
   * What a weight file holds: safetensors, PyTorch's formats, the index of a sharded set ({@code
   * .index.json}) or a rule ({@code .rule.json}). JSON is known by its name, the others by content.
   * A folder stands for the one sharded set, or the one weight file, in it. Of a file with several
   * models it is the preferred one, see {@link #all}.
   *
   * @throws WeightsException naming file, tensor and reason
   */
  public static Checkpoint read(Path file) {
    return all(file).get(0);
  }

  /**
   * Every model in a file, the preferred one first: a running average before the weights of the
   * last step. Tensors have the names that the model gives them, without those of data parallelism,
   * compilers and training frameworks.
   *
   * @throws WeightsException naming file, tensor and reason
   */
  public static List<Checkpoint> all(Path file) {
    return models(stored(file));
  }

  private static List<Checkpoint> models(List<Checkpoint> stored) {
    return stored.stream()
        .flatMap(checkpoint -> UnwrappedCheckpoint.models(checkpoint).stream())
        .toList();
  }

  /**
   * {@link #read(Path)} of one model of a file that holds several.
   *
   * @param section one of {@link #sections}, or where in a PyTorch file a state dict lies
   * @throws WeightsException if the file has no such section
   */
  public static Checkpoint read(Path file, String section) {
    boolean torch = isTorch(file);
    List<Checkpoint> all = torch ? models(TorchCheckpoint.read(file).known()) : all(file);
    for (Checkpoint checkpoint : all) {
      if (checkpoint.section().equals(section)) {
        return checkpoint;
      }
    }
    if (torch && !section.equals(Checkpoint.BARE)) {
      return models(List.of(TorchCheckpoint.read(file).section(section))).get(0);
    }
    throw new WeightsException(
        file.toString(),
        "has no section "
            + (section.isEmpty() ? "of its own accord" : section)
            + (all.stream().anyMatch(other -> !other.section().isEmpty())
                ? ", only " + sections(all)
                : ""));
  }

  /** The sections of {@link #all}; {@link Checkpoint#BARE} for a file that holds one model. */
  public static Set<String> sections(Path file) {
    return sections(all(file));
  }

  private static Set<String> sections(List<Checkpoint> all) {
    Set<String> sections = new LinkedHashSet<>();
    all.forEach(checkpoint -> sections.add(checkpoint.section()));
    return sections;
  }

  /** The tensors of {@link #read(Path)}. */
  public static Weights open(Path file) {
    return read(file).load();
  }

  /** The model settings stored with the weights, see {@link Checkpoint#config}. */
  public static Optional<JsonObject> config(Path file) {
    return read(file).config();
  }

  /** Some tensors of a checkpoint. */
  public static Checkpoint part(Checkpoint checkpoint, List<String> names) {
    return UnwrappedCheckpoint.part(checkpoint, names);
  }

  /** The tensor sets of a file under their literal names. */
  static List<Checkpoint> stored(Path file) {
    if (Files.isDirectory(file)) {
      return stored(WeightFiles.only(file));
    }
    String name = String.valueOf(file.getFileName());
    if (name.endsWith(".rule.json")) {
      ForeignWeightFile.refuse(file, true);
      return List.of(RuleWeights.read(file));
    }
    if (name.endsWith(".index.json")) {
      ForeignWeightFile.refuse(file, true);
      return List.of(ShardIndex.read(file));
    }
    return isTorch(file)
        ? TorchCheckpoint.read(file).sections()
        : List.of(SafetensorsFile.read(file));
  }

  private static boolean isTorch(Path file) {
    return Files.isRegularFile(file) && TorchCheckpoint.is(ForeignWeightFile.head(file));
  }
}
