package io.bitloom.worker.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A model in several files with an index, in Hugging Face's layout: {@code {"weight_map": {tensor:
 * file}}}. The files lie beside the index.
 */
final class ShardIndex {
  private ShardIndex() {}

  static Weights load(Path index) {
    String source = index.toString();
    Map<String, Set<String>> namesByFile = namesByFile(source, StrictJson.object(index));
    Weights all = new Weights(source);
    try {
      for (Map.Entry<String, Set<String>> shard : namesByFile.entrySet()) {
        Path file = index.resolveSibling(shard.getKey());
        try (Weights weights = Checkpoints.open(file)) {
          if (!weights.names().equals(shard.getValue())) {
            throw disagreement(source, file, shard.getValue(), weights.names());
          }
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
