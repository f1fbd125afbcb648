package io.bitloom.worker.cli;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.CheckpointEntry;
import io.bitloom.engine.modeldir.Architecture;
import io.bitloom.engine.modeldir.FileInspection;
import io.bitloom.engine.modeldir.Inspection;
import io.bitloom.engine.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What was found in a weight file, for people and for programs. */
final class InspectionText {
  private static final String[] UNITS = {"", " thousand", " million", " billion"};
  private static final String[] BYTES = {" B", " kB", " MB", " GB", " TB"};
  private static final int STEP = 1000;

  private InspectionText() {}

  /** The list of tensors, then what they make, then what is wrong with them. */
  static List<String> lines(FileInspection file, boolean summary, boolean strict) {
    List<String> lines = new ArrayList<>();
    file.checkpoint()
        .ifPresent(
            checkpoint -> {
              if (!summary) {
                lines.addAll(tensors(checkpoint));
              }
              lines.add(overview(file, checkpoint));
            });
    if (file.sections().size() > 1) {
      lines.add("  section       " + file.sections().get(0) + ", others: " + others(file));
    }
    file.part().ifPresent(part -> lines.addAll(architecture(part)));
    file.faults().forEach(fault -> lines.add((strict ? "FAULT " : "warning: ") + fault));
    if (strict && file.holds()) {
      lines.add(
          file.part().isPresent()
              ? "  ok            every tensor is there, of the right shape and type, and finite"
              : "  not checked   these tensors are no part of a model");
    }
    lines.add("");
    return lines;
  }

  private static List<String> tensors(Checkpoint checkpoint) {
    List<CheckpointEntry> entries = checkpoint.entries();
    int width = entries.stream().mapToInt(entry -> entry.name().length()).max().orElse(0);
    String row = "  %-" + Math.max(width, 1) + "s  %-4s  %-22s %s";
    return entries.stream()
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    row,
                    entry.name(),
                    entry.dtype(),
                    shape(entry),
                    size(entry.bytes())))
        .toList();
  }

  private static String overview(FileInspection file, Checkpoint checkpoint) {
    String types =
        types(checkpoint).entrySet().stream()
            .map(type -> type.getValue() + " " + type.getKey())
            .collect(Collectors.joining(", "));
    long parameters =
        checkpoint.entries().stream()
            .filter(entry -> entry.dtype().floating())
            .mapToLong(CheckpointEntry::elements)
            .sum();
    long bytes = checkpoint.entries().stream().mapToLong(CheckpointEntry::bytes).sum();
    return file.file()
        + ": "
        + file.part().map(part -> part.role().label()).orElse("no part of a model")
        + ", "
        + scaled(parameters, UNITS)
        + " parameters, "
        + size(bytes)
        + " ("
        + types
        + ")";
  }

  private static Map<DType, Integer> types(Checkpoint checkpoint) {
    Map<DType, Integer> types = new TreeMap<>();
    checkpoint.entries().forEach(entry -> types.merge(entry.dtype(), 1, Integer::sum));
    return types;
  }

  private static String others(FileInspection file) {
    return String.join(", ", file.sections().subList(1, file.sections().size()));
  }

  private static List<String> architecture(Inspection part) {
    List<String> lines = new ArrayList<>();
    Architecture architecture = part.architecture();
    String preset = part.preset().map(name -> name + ", ").orElse("");
    lines.add("  architecture  " + preset + architecture.origin());
    String settings =
        architecture.settings().entrySet().stream()
            .map(setting -> setting.getKey() + " " + setting.getValue())
            .collect(Collectors.joining(", "));
    lines.addAll(wrapped(settings));
    if (!architecture.assumed().isEmpty()) {
      lines.add("  assumed       cannot be seen in the tensors, --config says otherwise:");
      lines.addAll(wrapped(String.join(", ", architecture.assumed())));
    }
    return lines;
  }

  private static List<String> wrapped(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split("(?<=,) ")) {
      if (line.length() + word.length() > 80) {
        lines.add("                " + line.toString().stripTrailing());
        line.setLength(0);
      }
      line.append(word).append(' ');
    }
    lines.add("                " + line.toString().stripTrailing());
    return lines;
  }

  private static String shape(CheckpointEntry entry) {
    return entry.shape().isEmpty()
        ? "scalar"
        : entry.shape().stream().map(String::valueOf).collect(Collectors.joining(" × "));
  }

  private static String size(long bytes) {
    return scaled(bytes, BYTES);
  }

  private static String scaled(long value, String[] units) {
    double number = value;
    int unit = 0;
    while (number >= STEP && unit + 1 < units.length) {
      number /= STEP;
      unit++;
    }
    return unit == 0
        ? value + units[0]
        : String.format(Locale.ROOT, number < 10 ? "%.2f%s" : "%.1f%s", number, units[unit]);
  }

  /** The same as one JSON object. */
  static JsonObject json(FileInspection file, boolean summary) {
    Gson gson = new Gson();
    JsonObject json = new JsonObject();
    json.addProperty("file", file.file().toString());
    json.add("sections", gson.toJsonTree(file.sections()));
    file.part().ifPresent(part -> addPart(json, part));
    json.addProperty("holds", file.holds());
    json.add("faults", gson.toJsonTree(file.faults()));
    if (!summary) {
      file.checkpoint().ifPresent(checkpoint -> json.add("tensors", tensorItems(checkpoint)));
    }
    return json;
  }

  private static void addPart(JsonObject json, Inspection part) {
    Architecture architecture = part.architecture();
    json.addProperty("role", part.role().label());
    json.addProperty("parameters", part.parameters());
    json.addProperty("bytes", part.bytes());
    JsonObject item = new JsonObject();
    item.addProperty("preset", part.preset().orElse(""));
    item.addProperty("origin", architecture.origin());
    item.add("settings", architecture.settings());
    item.add("assumed", new Gson().toJsonTree(architecture.assumed()));
    json.add("architecture", item);
  }

  private static JsonArray tensorItems(Checkpoint checkpoint) {
    JsonArray items = new JsonArray();
    for (CheckpointEntry entry : checkpoint.entries()) {
      JsonObject item = new JsonObject();
      item.addProperty("name", entry.name());
      item.addProperty("dtype", entry.dtype().name());
      item.add("shape", new Gson().toJsonTree(entry.shape()));
      item.addProperty("bytes", entry.bytes());
      item.addProperty("file", entry.file().getFileName().toString());
      items.add(item);
    }
    return items;
  }
}
