package io.bitloom.engine.modeldir;

import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A tokenizer on disk: a model directory, or a safetensors file that has the settings in its
 * metadata entry {@code config}, as training writes it.
 */
public record TokenizerFile(Path path) {

  /**
   * The architecture.
   *
   * @throws IllegalArgumentException if a file has no settings, or wrong ones
   */
  public TokenizerConfig config() {
    if (Files.isDirectory(path)) {
      return ModelDirectory.open(path.toString()).tokenizer();
    }
    return TokenizerConfig.of(
        Checkpoints.config(path)
            .orElseThrow(
                () -> new IllegalArgumentException(path + " has no settings of a tokenizer")));
  }

  /** The quantizer; BSQ in a model directory. */
  public QuantizerConfig quantizer() {
    return Files.isDirectory(path)
        ? QuantizerConfig.of(QuantizerConfig.Kind.BSQ, config().codebookDim())
        : StoredQuantizer.of(Checkpoints.read(path), config());
  }

  /** The weights, which the caller closes. */
  public Weights weights() {
    return Files.isDirectory(path)
        ? ModelDirectory.open(path.toString()).tokenizerWeights()
        : Checkpoints.open(path);
  }

  /** A name that changes when the file does. */
  public String identity() {
    try {
      Path weights = Files.isDirectory(path) ? path.resolve("model.json") : path;
      return weights + " " + Files.getLastModifiedTime(weights) + " " + Files.size(weights);
    } catch (IOException e) {
      return path.toString();
    }
  }
}
