package io.bitloom.engine.text;

import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files of a T5 encoder as Hugging Face lays them out.
 *
 * @param config {@code config.json}
 * @param tokenizer {@code tokenizer.json} or {@code spiece.model}
 * @param weights one weight file, or the index of a sharded set
 */
public record T5Files(Path config, Path tokenizer, Path weights) {
  private static final String CONFIG = "config.json";
  private static final List<String> TOKENIZERS = List.of("tokenizer.json", "spiece.model");
  private static final List<String> WEIGHTS =
      List.of(
          "model.safetensors",
          "model.safetensors.index.json",
          "pytorch_model.bin",
          "pytorch_model.bin.index.json");

  /**
   * Finds the files in a downloaded folder; where there are several of a kind, the first of these:
   * {@code tokenizer.json}, {@code spiece.model}; safetensors, PyTorch; whole, sharded.
   *
   * @throws WeightsException naming the folder and what it lacks
   */
  public static T5Files in(Path folder) {
    return new T5Files(
        first(folder, List.of(CONFIG)), first(folder, TOKENIZERS), first(folder, WEIGHTS));
  }

  private static Path first(Path folder, List<String> names) {
    Optional<Path> found =
        names.stream().map(folder::resolve).filter(Files::isRegularFile).findFirst();
    return found.orElseThrow(
        () ->
            new WeightsException(
                folder.toString(), "has no text encoder: expected " + String.join(" or ", names)));
  }
}
