package io.bitloom.engine.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** One model of a stored tensor set, under the names that the model itself gives its tensors. */
final class UnwrappedCheckpoint implements Checkpoint {
  private final Checkpoint stored;
  private final String section;
  private final Map<String, String> names;

  private UnwrappedCheckpoint(Checkpoint stored, String section, Map<String, String> names) {
    this.stored = stored;
    this.section = section;
    this.names = names;
  }

  /** The models of a tensor set, the preferred one first; itself, if nothing is wrapped. */
  static List<Checkpoint> models(Checkpoint stored) {
    List<Checkpoint> models = new ArrayList<>();
    WrappedNames.models(stored.names())
        .forEach((prefix, names) -> models.add(of(stored, prefix, names)));
    return models.isEmpty() ? List.of(stored) : models;
  }

  /** The tensors of some names, which they keep. */
  static Checkpoint part(Checkpoint whole, List<String> names) {
    Map<String, String> kept = new LinkedHashMap<>();
    names.forEach(name -> kept.put(name, name));
    return new UnwrappedCheckpoint(whole, whole.section(), kept);
  }

  private static Checkpoint of(Checkpoint stored, String prefix, Map<String, String> names) {
    if (names.size() == stored.names().size()
        && names.entrySet().stream().allMatch(name -> name.getKey().equals(name.getValue()))) {
      return stored;
    }
    String dot = stored.section().isEmpty() || prefix.isEmpty() ? "" : ".";
    return new UnwrappedCheckpoint(stored, stored.section() + dot + prefix, names);
  }

  @Override
  public Path file() {
    return stored.file();
  }

  @Override
  public String section() {
    return section;
  }

  @Override
  public List<Path> files() {
    return stored.files();
  }

  @Override
  public List<String> names() {
    return List.copyOf(names.values());
  }

  @Override
  public List<CheckpointEntry> entries() {
    return stored.entries().stream()
        .filter(entry -> names.containsKey(entry.name()))
        .map(entry -> entry.named(names.get(entry.name())))
        .toList();
  }

  @Override
  public Optional<JsonObject> config() {
    return stored.config();
  }

  @Override
  public void verifyData() {
    stored.verifyData();
  }

  @Override
  public Weights load() {
    try (Weights all = stored.load()) {
      Weights own = new Weights(all.source());
      names.forEach((name, unwrapped) -> own.put(unwrapped, new Tensor(all.get(name))));
      return own;
    }
  }
}
