package io.bitloom.worker.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Opens a weight file of any known format. */
public final class Checkpoints {
  private static final byte[] ZIP = {'P', 'K', 3, 4};

  private Checkpoints() {}

  /**
   * The tensors of a weight file: safetensors, PyTorch zip, the index of a sharded set ({@code
   * .index.json}) or a rule ({@code .rule.json}). JSON is known by its name, the others by content.
   *
   * @throws WeightsException naming file, tensor and reason
   */
  public static Weights open(Path file) {
    String name = String.valueOf(file.getFileName());
    if (name.endsWith(".rule.json")) {
      return RuleWeights.read(file).load();
    }
    if (name.endsWith(".index.json")) {
      return ShardIndex.load(file);
    }
    return startsWithZip(file)
        ? TorchCheckpoint.read(file).load()
        : SafetensorsFile.read(file).load();
  }

  /**
   * The model settings stored with the weights: the metadata entry {@code config} of a safetensors
   * file, or a rule's {@code config}. PyTorch files have none.
   */
  public static Optional<JsonObject> config(Path file) {
    if (String.valueOf(file.getFileName()).endsWith(".rule.json")) {
      return Optional.of(RuleWeights.read(file).config());
    }
    if (startsWithZip(file)) {
      return Optional.empty();
    }
    return Optional.ofNullable(SafetensorsFile.read(file).metadata().get("config"))
        .map(text -> StrictJson.object(file + ": config", text));
  }

  private static boolean startsWithZip(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(ZIP.length), ZIP);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }
}
