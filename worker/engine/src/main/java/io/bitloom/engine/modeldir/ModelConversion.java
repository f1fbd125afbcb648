package io.bitloom.engine.modeldir;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.CheckpointEntry;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Writes any checkpoint as safetensors, and whole model directories in another type. */
public final class ModelConversion {
  /** Most bytes of a file in a sharded set, unless somebody asks for another number. */
  public static final long SHARD_BYTES = 5_000_000_000L;

  private static final String SAFETENSORS = ".safetensors";
  private static final String INDEX = ".index.json";
  private static final Pattern OTHER_WEIGHTS = Pattern.compile(".*\\.(pth|pt|bin|ckpt)");

  private ModelConversion() {}

  /**
   * Writes a checkpoint to a file whose name ends in {@code .safetensors}, or into a new folder,
   * there in several files if it is large. The settings go along. Tensors are converted one by one.
   *
   * @param dtype type for tensors of floating-point numbers; null leaves each as it is
   * @param shardBytes most bytes of data in a file of a folder
   * @return the file that stands for all
   * @throws WeightsException if something is there already, a value is beyond the range of the
   *     type, or the place cannot be written to; nothing is left behind then
   */
  public static Path write(Checkpoint checkpoint, Path out, DType dtype, long shardBytes) {
    Map<String, String> metadata =
        checkpoint.config().map(config -> Map.of("config", config.toString())).orElse(Map.of());
    try {
      if (!isOneFile(out)) {
        return writeFolder(checkpoint, out, metadata, dtype, shardBytes);
      }
      if (Files.exists(out)) {
        throw new WeightsException(out.toString(), "already exists");
      }
      if (out.toAbsolutePath().getParent() != null) {
        Files.createDirectories(out.toAbsolutePath().getParent());
      }
      try (Weights weights = checkpoint.load()) {
        SafetensorsWriter.write(out, weights, metadata, dtype);
      }
      return out;
    } catch (IOException e) {
      throw new WeightsException(out.toString(), "cannot be written: " + e.getMessage(), e);
    }
  }

  /** Whether a name means one file, and not a folder. */
  public static boolean isOneFile(Path out) {
    return out.toString().endsWith(SAFETENSORS);
  }

  private static Path writeFolder(
      Checkpoint checkpoint, Path out, Map<String, String> metadata, DType dtype, long shardBytes)
      throws IOException {
    try (UnfinishedFolder unfinished = new UnfinishedFolder(out);
        Weights weights = checkpoint.load()) {
      Path written =
          SafetensorsWriter.writeFolder(unfinished.folder(), weights, metadata, dtype, shardBytes);
      unfinished.finish();
      return out.resolve(written.getFileName());
    }
  }

  /**
   * Writes a model directory again, its safetensors files in another type, their size in the index
   * of shards, the new digests in {@code model.json}, and all else as it is.
   *
   * @param dtype type for tensors of floating-point numbers; null leaves each as it is
   * @throws WeightsException if the place is taken or cannot be written to, a file is missing or
   *     has weights in another format, or a value is beyond the range of the type; nothing is left
   *     behind then
   */
  public static Path writeModel(Path model, Path out, DType dtype) {
    ModelDirectory.open(model.toString()).readFiles();
    Path description = model.resolve(ModelDirectory.FILE);
    JsonObject json = StrictJson.object(description);
    JsonObject digests = json.getAsJsonObject("sha256");
    try (UnfinishedFolder unfinished = new UnfinishedFolder(out)) {
      for (String name : digests == null ? Set.<String>of() : digests.keySet()) {
        Path target = unfinished.folder().resolve(name);
        Files.createDirectories(target.getParent());
        if (name.endsWith(SAFETENSORS)) {
          write(Checkpoints.read(model.resolve(name)), target, dtype, SHARD_BYTES);
        } else if (OTHER_WEIGHTS.matcher(name).matches()) {
          throw new WeightsException(
              description.toString(), "\"" + name + "\" is not safetensors; convert it first");
        } else {
          Files.copy(model.resolve(name), target);
        }
      }
      for (String name : digests == null ? Set.<String>of() : digests.keySet()) {
        Path target = unfinished.folder().resolve(name);
        if (name.endsWith(INDEX)) {
          writeTotalSize(target);
        }
        digests.addProperty(name, Digests.sha256(target));
      }
      Files.writeString(
          unfinished.folder().resolve(ModelDirectory.FILE),
          new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n");
      unfinished.finish();
      return out;
    } catch (IOException e) {
      throw new WeightsException(out.toString(), "cannot be written: " + e.getMessage(), e);
    }
  }

  private static void writeTotalSize(Path index) throws IOException {
    JsonObject json = StrictJson.object(index);
    if (json.get("metadata") instanceof JsonObject metadata && metadata.has("total_size")) {
      long bytes =
          Checkpoints.read(index).entries().stream().mapToLong(CheckpointEntry::bytes).sum();
      metadata.addProperty("total_size", bytes);
      Files.writeString(index, json.toString());
    }
  }
}
