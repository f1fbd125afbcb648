package io.bitloom.engine.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A set of named tensors as it lies on disk, known by its headers: names, types and shapes have
 * been read and checked, no tensor has been touched.
 */
public interface Checkpoint {
  /** A tensor set that is all of its file. */
  String BARE = "";

  /** The file that stands for the set: the weight file, or the index of a sharded set. */
  Path file();

  /** Where in its file the set lies, such as {@code trainer.gpt_fsdp}; {@link #BARE} if alone. */
  String section();

  /** Every file that belongs to the set, {@link #file()} first. */
  List<Path> files();

  /** What is stored, in file order. */
  List<CheckpointEntry> entries();

  /** The names of {@link #entries()}. */
  default List<String> names() {
    return entries().stream().map(CheckpointEntry::name).toList();
  }

  /**
   * Reads all data that the file has checksums of; nothing is read where it has none.
   *
   * @throws io.bitloom.engine.tensor.WeightsException naming file and place of what is damaged
   */
  default void verifyData() {}

  /** The model settings that are stored beside the tensors, under the official names. */
  Optional<JsonObject> config();

  /**
   * The tensors, on the CPU and, where the format stores them, mapped and not copied.
   *
   * @throws io.bitloom.engine.tensor.WeightsException naming file, tensor and reason
   */
  Weights load();
}
