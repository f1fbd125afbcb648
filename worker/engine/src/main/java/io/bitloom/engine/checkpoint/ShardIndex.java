package io.bitloom.engine.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A model in several files with an index, in Hugging Face's layout: {@code {"weight_map": {tensor:
 * file}}}. The files lie beside the index.
 */
final class ShardIndex implements Checkpoint {
  private final Path index;
  private final List<Checkpoint> shards;

  private ShardIndex(Path index, List<Checkpoint> shards) {
    this.index = index;
    this.shards = shards;
  }

  /**
   * Reads the index and the headers of all shards.
   *
   * @throws WeightsException if a shard is missing or broken, or holds other tensors than the index
   *     says
   */
  static ShardIndex read(Path index) {
    String source = index.toString();
    List<Checkpoint> shards = new ArrayList<>();
    for (Map.Entry<String, Set<String>> shard :
        namesByFile(source, StrictJson.object(index)).entrySet()) {
      Path file = index.resolveSibling(shard.getKey());
      if (!Files.isRegularFile(file)) {
        throw new WeightsException(
            source,
            shard.getValue().iterator().next(),
            "is in " + shard.getKey() + ", which does not exist");
      }
      Checkpoint checkpoint = Checkpoints.stored(file).get(0);
      Set<String> stored =
          checkpoint.entries().stream().map(CheckpointEntry::name).collect(Collectors.toSet());
      if (!stored.equals(shard.getValue())) {
        throw disagreement(source, checkpoint.file(), shard.getValue(), stored);
      }
      shards.add(checkpoint);
    }
    return new ShardIndex(index, List.copyOf(shards));
  }

  /** The shards that an index names. */
  static List<Path> shardsOf(Path index) {
    return namesByFile(index.toString(), StrictJson.object(index)).keySet().stream()
        .map(index::resolveSibling)
        .toList();
  }

  @Override
  public Path file() {
    return index;
  }

  @Override
  public String section() {
    return BARE;
  }

  @Override
  public List<Path> files() {
    List<Path> files = new ArrayList<>(List.of(index));
    shards.forEach(shard -> files.addAll(shard.files()));
    return files;
  }

  @Override
  public List<CheckpointEntry> entries() {
    return shards.stream().flatMap(shard -> shard.entries().stream()).toList();
  }

  /** The settings in the first shard that has any. */
  @Override
  public Optional<JsonObject> config() {
    return shards.stream().flatMap(shard -> shard.config().stream()).findFirst();
  }

  @Override
  public void verifyData() {
    shards.forEach(Checkpoint::verifyData);
  }

  @Override
  public Weights load() {
    Weights all = new Weights(index.toString());
    try {
      for (Checkpoint shard : shards) {
        try (Weights weights = shard.load()) {
          all.share(weights);
        }
      }
      return all;
    } catch (RuntimeException e) {
      all.close();
      throw e;
    }
  }

  private static Map<String, Set<String>> namesByFile(String source, JsonObject index) {
    JsonElement map = index.get("weight_map");
    if (map == null || !map.isJsonObject()) {
      throw new WeightsException(source, "weight_map is missing or not an object");
    }
    Map<String, Set<String>> names = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> entry : map.getAsJsonObject().entrySet()) {
      JsonElement file = entry.getValue();
      if (!file.isJsonPrimitive()
          || !file.getAsJsonPrimitive().isString()
          || !isPlainName(file.getAsString())) {
        throw new WeightsException(
            source, entry.getKey(), "its file must be a plain name, got " + file);
      }
      names.computeIfAbsent(file.getAsString(), name -> new TreeSet<>()).add(entry.getKey());
    }
    return names;
  }

  /** A shard lies beside its index: no path, and not another index that leads on or back. */
  private static boolean isPlainName(String file) {
    return file.matches("[A-Za-z0-9][A-Za-z0-9._-]*") && !file.endsWith(".json");
  }

  private static WeightsException disagreement(
      String source, Path file, Set<String> expected, Set<String> found) {
    for (String name : expected) {
      if (!found.contains(name)) {
        return new WeightsException(source, name, "is not in " + file.getFileName());
      }
    }
    String extra =
        found.stream().filter(name -> !expected.contains(name)).findFirst().orElseThrow();
    return new WeightsException(
        source, extra, "is in " + file.getFileName() + " but not in the index");
  }
}
