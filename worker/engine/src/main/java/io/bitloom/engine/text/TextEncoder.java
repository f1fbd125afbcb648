package io.bitloom.engine.text;

import io.bitloom.engine.tensor.PackedRows;
import java.util.List;
import java.util.Optional;

/** Turns prompts into the features that condition the transformer. */
public interface TextEncoder extends AutoCloseable {
  /** Width of the features. */
  int channels();

  /** Why a text has no features, for who wrote it; empty if it has, as almost always. */
  default Optional<String> refusal(String text) {
    return Optional.empty();
  }

  /**
   * Features of prompts, which do not depend on each other; they belong to the open scope.
   *
   * @param prompts at least one, all without {@link #refusal}
   * @param maxLength most rows of a prompt; longer prompts are cut
   */
  PackedRows encode(List<String> prompts, int maxLength);

  @Override
  void close();
}
