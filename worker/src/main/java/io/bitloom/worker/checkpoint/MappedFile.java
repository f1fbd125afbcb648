package io.bitloom.worker.checkpoint;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A file as one memory-mapped tensor of bytes, of which weights are views. The mapping ends when
 * the last view is freed, whatever happens to this object. Belongs to the scope in which it was
 * opened.
 */
final class MappedFile {
  private final String source;
  private final Tensor content;
  private final long bytes;

  MappedFile(Path file) {
    source = file.toString();
    try {
      bytes = Files.size(file);
      content = Tensors.map(file, bytes);
    } catch (IOException | RuntimeException e) {
      throw new WeightsException(source, "cannot be mapped into memory: " + e.getMessage(), e);
    }
  }

  /** {@code length} bytes from {@code offset} as a row of elements. */
  Tensor row(String tensor, DType dtype, long offset, long length) {
    if (offset < 0 || length < 0 || offset > bytes - length || length % dtype.bytes() != 0) {
      throw new WeightsException(
          source,
          tensor,
          "bytes " + offset + " to " + (offset + length) + " of a file of " + bytes + " bytes");
    }
    Tensor row = content.narrow(0, offset, length);
    if (dtype == DType.BOOL) {
      return row.ne(new Scalar(0)); // a byte other than 0 and 1 is no valid bool
    }
    // libtorch views bytes as wider elements only where the storage is aligned to them.
    boolean aligned = offset % dtype.bytes() == 0;
    return (aligned ? row : row.clone()).view(dtype.torch());
  }

  /** A tensor that is stored whole and row-major. */
  Tensor tensor(StoredTensor stored) {
    return row(stored.name(), stored.dtype(), stored.offset(), stored.bytes()).view(stored.sizes());
  }

  /** A tensor that is a strided view of a stored row; the caller has checked the bounds. */
  static Tensor strided(Tensor row, long[] sizes, long[] strides, long offset) {
    return row.as_strided(sizes, strides, new LongOptional(row.storage_offset() + offset));
  }
}
