package io.bitloom.worker.verify;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.SafetensorsFile;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One fixture file: its metadata, its cases and their tensors ({@code <case>/<name>}), and the
 * weight files that it refers to. Weights are loaded once and live as long as the fixture.
 */
final class Fixture implements AutoCloseable {
  /** Fixtures are float32 values of a CPU. */
  static final TorchDevice DEVICE = TorchDevice.CPU;

  /** Where a model's weights can lie, the quickest to load first. */
  private static final List<String> WEIGHT_FORMATS = List.of(".safetensors", ".pth", ".rule.json");

  private final Path file;
  private final Map<String, String> metadata;
  private final Weights tensors;
  private final Map<Path, ModelWeights> loaded = new HashMap<>();

  private Fixture(Path file, Map<String, String> metadata, Weights tensors) {
    this.file = file;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * The weights of a model and its settings.
   *
   * @param file where they come from
   * @param config the settings, as the reference's constructor takes them
   */
  record ModelWeights(Path file, Weights weights, JsonObject config) {}

  /** Opens a safetensors fixture, or a JSON one, which has no tensors. */
  static Fixture open(Path file) {
    if (file.toString().endsWith(".json")) {
      return new Fixture(file, Map.of(), new Weights(file.toString()));
    }
    SafetensorsFile safetensors = SafetensorsFile.read(file);
    return new Fixture(file, safetensors.metadata(), safetensors.load());
  }

  /** The file itself. */
  Path file() {
    return file;
  }

  /** The file's name without folder and ending. */
  String name() {
    return file.getFileName().toString().replaceFirst("\\.(safetensors|json)$", "");
  }

  /** The content of a JSON fixture. */
  JsonFields json() {
    return JsonFields.of(file.toString(), StrictJson.object(file));
  }

  /** All tensors; looking one up marks it as checked. */
  Weights tensors() {
    return tensors;
  }

  /** The tensors of one case, by their names in it. */
  Weights tensors(String testCase) {
    return tensors.at(testCase + "/");
  }

  /** Whether the metadata has this entry. */
  boolean has(String entry) {
    return metadata.containsKey(entry);
  }

  /** A metadata entry that is text. */
  String text(String entry) {
    String text = metadata.get(entry);
    if (text == null) {
      throw new WeightsException(file.toString(), "metadata entry " + entry + " is missing");
    }
    return text;
  }

  /** A metadata entry that is a JSON object, such as {@code cases} and {@code config}. */
  JsonFields structure(String entry) {
    String source = file + ": " + entry;
    return JsonFields.of(source, StrictJson.object(source, text(entry)));
  }

  /**
   * A tolerance: the file's own, where its {@code tolerance} entry has one of this name, else that
   * of the fixtures' documentation.
   */
  double tolerance(String name, double documented) {
    if (has("tolerance") && structure("tolerance").has(name)) {
      return structure("tolerance").number(name);
    }
    return documented;
  }

  /** A list of {@code [t, h, w]}; pictures have t = 1. */
  static List<Scale> scales(JsonFields settings, String name) {
    List<Scale> scales = new ArrayList<>();
    for (var element : settings.elements(name)) {
      if (!element.isJsonArray()
          || element.getAsJsonArray().size() != 3
          || element.getAsJsonArray().get(0).getAsInt() != 1) {
        throw new IllegalArgumentException(name + ": expected [1, h, w], found " + element);
      }
      var sides = element.getAsJsonArray();
      scales.add(new Scale(sides.get(1).getAsInt(), sides.get(2).getAsInt()));
    }
    return scales;
  }

  /**
   * The weights of a role ({@code transformer} or {@code vae}) for a case. The model's name is the
   * case's {@code <role>_weights} or {@code weights} entry, the file's {@code weights} entry, or
   * what follows the kind in the file's name; an entry can also be the name of the weight file.
   *
   * @param settings of the case
   * @param kind the prefix of this kind of fixture, such as {@code vae_}
   */
  ModelWeights weights(JsonFields settings, String kind, String role) {
    Path found = find(modelName(settings, kind, role), role);
    return loaded.computeIfAbsent(
        found, path -> new ModelWeights(path, Checkpoints.open(path), config(path)));
  }

  private String modelName(JsonFields settings, String kind, String role) {
    if (settings.has(role + "_weights")) {
      return settings.text(role + "_weights");
    }
    if (settings.has("weights")) {
      return settings.text("weights");
    }
    if (has("weights")) {
      return text("weights");
    }
    return name().substring(kind.length());
  }

  private Path find(String name, String role) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new IllegalArgumentException("weights: \"" + name + "\" is no plain name");
    }
    Path whole = file.resolveSibling(name);
    if (name.matches(".*\\.(safetensors|pth|json)") && Files.isRegularFile(whole)) {
      return whole;
    }
    for (String format : WEIGHT_FORMATS) {
      Path candidate = file.resolveSibling(name + "_" + role + format);
      if (Files.isRegularFile(candidate)) {
        return candidate;
      }
    }
    throw new IllegalArgumentException("weights: there is no " + name + "_" + role + " file");
  }

  /** The settings beside the weights, or in the fixture where the format has no place for them. */
  private JsonObject config(Path weights) {
    return Checkpoints.config(weights).orElseGet(() -> structure("config").json());
  }

  @Override
  public void close() {
    loaded.values().forEach(model -> model.weights().close());
    tensors.close();
  }
}
