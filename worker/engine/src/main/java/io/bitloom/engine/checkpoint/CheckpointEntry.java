package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.DType;
import java.nio.file.Path;
import java.util.List;

/**
 * A tensor as the header of its file describes it.
 *
 * @param file the file that holds its data
 * @param name literal name in the file
 * @param dtype element type
 * @param shape sizes of the axes
 * @param position first byte of its data in the file; {@link #COMPUTED} if there is none
 */
public record CheckpointEntry(
    Path file, String name, DType dtype, List<Long> shape, long position) {
  /** The position of tensors that are computed, not stored. */
  public static final long COMPUTED = -1;

  /** The same tensor under another name. */
  CheckpointEntry named(String other) {
    return new CheckpointEntry(file, other, dtype, shape, position);
  }

  /** Whether its data lies in the file and is not computed. */
  public boolean isStored() {
    return position != COMPUTED;
  }

  /** Number of elements. */
  public long elements() {
    return shape.stream().reduce(1L, (a, b) -> a * b);
  }

  /** Size of the data in bytes. */
  public long bytes() {
    return elements() * dtype.bytes();
  }

  /** The shape as libtorch takes it. */
  public long[] sizes() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
