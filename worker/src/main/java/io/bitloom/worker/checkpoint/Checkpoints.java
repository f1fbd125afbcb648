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
import java.util.Set;

/** Opens a weight file of any known format. */
public final class Checkpoints {
  private static final byte[] ZIP = {'P', 'K', 3, 4};

  private Checkpoints() {}

  /**
   * What a weight file holds: safetensors, PyTorch zip, the index of a sharded set ({@code
   * .index.json}) or a rule ({@code .rule.json}). JSON is known by its name, the others by content.
   * A folder stands for the one sharded set, or the one weight file, in it. Of a PyTorch file with
   * several state dicts it is the preferred one, see {@link TorchCheckpoint#sections}.
   *
   * @throws WeightsException naming file, tensor and reason
   */
  public static Checkpoint read(Path file) {
    if (Files.isDirectory(file)) {
      return read(WeightFiles.only(file));
    }
    String name = String.valueOf(file.getFileName());
    if (name.endsWith(".rule.json")) {
      return RuleWeights.read(file);
    }
    if (name.endsWith(".index.json")) {
      return ShardIndex.read(file);
    }
    return startsWithZip(file) ? TorchCheckpoint.read(file).section() : SafetensorsFile.read(file);
  }

  /**
   * {@link #read(Path)} of one state dict of a file that holds several.
   *
   * @throws WeightsException if the file has no such section
   */
  public static Checkpoint read(Path file, String section) {
    if (!section.equals(Checkpoint.BARE) && Files.isRegularFile(file) && startsWithZip(file)) {
      return TorchCheckpoint.read(file).section(section);
    }
    Checkpoint checkpoint = read(file);
    if (!checkpoint.section().equals(section)) {
      throw new WeightsException(
          file.toString(),
          "has no section "
              + (section.isEmpty() ? "of its own accord" : section)
              + (checkpoint.section().isEmpty() ? "" : ", only " + sections(file)));
    }
    return checkpoint;
  }

  /**
   * The state dicts of a file, the preferred one first; {@link Checkpoint#BARE} if there is one.
   */
  public static Set<String> sections(Path file) {
    return Files.isRegularFile(file) && startsWithZip(file)
        ? TorchCheckpoint.read(file).sections()
        : Set.of(Checkpoint.BARE);
  }

  /** The tensors of {@link #read(Path)}. */
  public static Weights open(Path file) {
    return read(file).load();
  }

  /** The model settings stored with the weights, see {@link Checkpoint#config}. */
  public static Optional<JsonObject> config(Path file) {
    return read(file).config();
  }

  private static boolean startsWithZip(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(ZIP.length), ZIP);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }
}
