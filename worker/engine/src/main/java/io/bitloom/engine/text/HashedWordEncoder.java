package io.bitloom.engine.text;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Tensors;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;

/**
 * A text encoder without weights: every word is a fixed random vector that follows from its letters
 * and its place. Equal prompts have equal features and different ones different features, which is
 * all that a model needs that was trained with it, or that was never trained.
 */
public final class HashedWordEncoder implements TextEncoder {
  private static final long FNV_START = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final String END = "</s>";

  private final int channels;

  /** An encoder of features of a width. */
  public HashedWordEncoder(int channels) {
    if (channels < 1) {
      throw new IllegalArgumentException("channels: expected at least 1, got " + channels);
    }
    this.channels = channels;
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public PackedRows encode(List<String> prompts, int maxLength) {
    List<Integer> lengths = new ArrayList<>();
    List<String> words = new ArrayList<>();
    for (String prompt : prompts) {
      List<String> own = words(prompt, maxLength);
      lengths.add(own.size());
      words.addAll(own);
    }
    float[] rows = new float[Math.multiplyExact(words.size(), channels)];
    for (int row = 0; row < words.size(); row++) {
      fill(rows, row, words.get(row));
    }
    Tensor features = Tensors.of(rows, words.size(), channels);
    return new PackedRows(features, lengths);
  }

  /** Lower-case words and an end mark, each with its place. */
  private static List<String> words(String prompt, int maxLength) {
    List<String> words = new ArrayList<>();
    for (String word : prompt.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+")) {
      if (!word.isEmpty() && words.size() < maxLength - 1) {
        words.add(words.size() + " " + word);
      }
    }
    words.add(END);
    return words;
  }

  /** Normal values with the scale of a text encoder's features: length 1 on average. */
  private void fill(float[] rows, int row, String word) {
    SplittableRandom random = new SplittableRandom(hash(word));
    double scale = 1 / Math.sqrt(channels);
    for (int i = 0; i < channels; i++) {
      rows[row * channels + i] = (float) (scale * random.nextGaussian());
    }
  }

  private static long hash(String word) {
    long hash = FNV_START;
    for (byte unit : word.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedInt(unit)) * FNV_PRIME;
    }
    return hash;
  }

  @Override
  public void close() {
    // holds nothing
  }
}
