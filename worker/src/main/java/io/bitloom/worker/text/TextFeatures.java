package io.bitloom.worker.text;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Features of several prompts, packed: the rows of all prompts one after the other, without
 * padding.
 *
 * @param rows (sum of lengths, channels) float32
 * @param lengths number of rows of each prompt; 0 stands for a prompt that is not there
 */
public record TextFeatures(Tensor rows, List<Integer> lengths) {

  /**
   * @throws IllegalArgumentException if the lengths do not add up to the rows
   */
  public TextFeatures {
    lengths = List.copyOf(lengths);
    int sum = lengths.stream().mapToInt(Integer::intValue).sum();
    if (rows.dim() != 2 || rows.size(0) != sum || lengths.stream().anyMatch(n -> n < 0)) {
      throw new IllegalArgumentException(
          "text features need one row per token: lengths "
              + lengths
              + ", shape of the rows "
              + java.util.Arrays.toString(rows.shape()));
    }
  }

  /** Number of prompts. */
  public int prompts() {
    return lengths.size();
  }

  /** Width of a row. */
  public int channels() {
    return Math.toIntExact(rows.size(1));
  }

  /** The rows of one prompt (length, channels). */
  public Tensor prompt(int index) {
    long start = lengths.subList(0, index).stream().mapToLong(Integer::longValue).sum();
    return rows.narrow(0, start, lengths.get(index));
  }
}
