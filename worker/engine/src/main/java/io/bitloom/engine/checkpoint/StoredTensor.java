package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A tensor as a file describes it, checked against the size of the file.
 *
 * @param name literal name in the file
 * @param dtype element type
 * @param shape sizes of the axes, row-major
 * @param offset first byte in the file
 * @param bytes length in the file
 */
public record StoredTensor(String name, DType dtype, List<Long> shape, long offset, long bytes) {
  /** The shape as libtorch takes it. */
  public long[] sizes() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }

  /**
   * Number of elements of a shape.
   *
   * @throws WeightsException if a size is negative or the product does not fit 63 bits
   */
  static long elements(String source, String tensor, long... shape) {
    long elements = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new WeightsException(
            source, tensor, "shape " + Arrays.toString(shape) + " has a negative size");
      }
      elements = Math.multiplyHigh(elements, size) == 0 ? elements * size : -1;
      if (elements < 0) {
        throw new WeightsException(source, tensor, "shape " + describe(shape) + " is too large");
      }
    }
    return elements;
  }

  private static String describe(long... shape) {
    return Arrays.stream(shape)
        .limit(8)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "[", shape.length > 8 ? ", ...]" : "]"));
  }
}
