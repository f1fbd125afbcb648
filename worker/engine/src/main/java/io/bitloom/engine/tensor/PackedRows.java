package io.bitloom.engine.tensor;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Rows of several sequences one after the other, without padding: the features of a batch of
 * prompts, as text encoders make them and the transformer takes them.
 *
 * @param rows (sum of lengths + spare, channels) float32
 * @param lengths number of rows of each sequence; 0 stands for a sequence that is not there
 * @param spare rows behind the last sequence, which mean nothing
 */
public record PackedRows(Tensor rows, List<Integer> lengths, int spare) {

  /**
   * @throws IllegalArgumentException if the lengths do not add up to the rows
   */
  public PackedRows {
    lengths = List.copyOf(lengths);
    long sum = lengths.stream().mapToLong(Integer::longValue).sum();
    if (rows.dim() != 2
        || rows.size(0) != sum + spare
        || spare < 0
        || lengths.stream().anyMatch(n -> n < 0)) {
      throw new IllegalArgumentException(
          "packed rows of lengths "
              + lengths
              + (spare == 0 ? "" : " and " + spare + " more")
              + " cannot have shape "
              + Arrays.toString(rows.shape()));
    }
  }

  /** Sequences without spare rows. */
  public PackedRows(Tensor rows, List<Integer> lengths) {
    this(rows, lengths, 0);
  }

  /**
   * The same sequences with so many spare rows that each has {@code room} on average: what is
   * computed row by row has the same shape then, whatever their lengths.
   *
   * @param room at least the average length
   */
  public PackedRows withRoom(int room) {
    int more = Math.multiplyExact(room, count()) - Math.toIntExact(rows.size(0));
    Tensor filled = torch.constant_pad_nd(rows, new long[] {0, 0, 0, more}, new Scalar(0));
    return new PackedRows(filled, lengths, spare + more);
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
    return new PackedRows(Tensors.to(rows, device), lengths, spare);
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
