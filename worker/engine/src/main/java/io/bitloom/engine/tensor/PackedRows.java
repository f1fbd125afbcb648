package io.bitloom.engine.tensor;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Rows of several sequences one after the other, without padding: the features of a batch of
 * prompts, as text encoders make them and the transformer takes them.
 *
 * @param rows (sum of lengths, channels) float32
 * @param lengths number of rows of each sequence; 0 stands for a sequence that is not there
 */
public record PackedRows(Tensor rows, List<Integer> lengths) {

  /**
   * @throws IllegalArgumentException if the lengths do not add up to the rows
   */
  public PackedRows {
    lengths = List.copyOf(lengths);
    long sum = lengths.stream().mapToLong(Integer::longValue).sum();
    if (rows.dim() != 2 || rows.size(0) != sum || lengths.stream().anyMatch(n -> n < 0)) {
      throw new IllegalArgumentException(
          "packed rows of lengths "
              + lengths
              + " cannot have shape "
              + Arrays.toString(rows.shape()));
    }
  }

  /** Number of sequences. */
  public int count() {
    return lengths.size();
  }

  /** Width of a row. */
  public int channels() {
    return Math.toIntExact(rows.size(1));
  }

  /** The rows of one sequence (length, channels). */
  public Tensor sequence(int index) {
    return rows.narrow(0, start(index), lengths.get(index));
  }

  /** The same rows on a device; the very same where they lie there already. */
  public PackedRows on(TorchDevice device) {
    return new PackedRows(Tensors.to(rows, device), lengths);
  }

  /** The sequences {@code from} to {@code to - 1}, on the same memory. */
  public PackedRows slice(int from, int to) {
    Tensor part = rows.narrow(0, start(from), start(to) - start(from));
    return new PackedRows(part, lengths.subList(from, to));
  }

  private long start(int index) {
    return lengths.subList(0, index).stream().mapToLong(Integer::longValue).sum();
  }
}
