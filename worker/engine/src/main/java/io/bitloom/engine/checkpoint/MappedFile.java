package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A file whose tensors are mapped into memory. A large tensor has a mapping of its own, which ends
 * when the last view of the tensor is freed: a model that converts its weights one by one never has
 * more of the file in memory than one tensor. Such a mapping reaches from the start of the file to
 * the end of the tensor, because libtorch maps no other ranges; what nobody touches takes address
 * space only. Small tensors share one mapping. Belongs to the scope in which it was opened.
 */
final class MappedFile {
  /** Keeps the number of mappings far below what the system allows a process. */
  private static final long LARGE_BYTES = 1L << 20;

  private final Path file;
  private final long bytes;
  private final Tensor content;

  MappedFile(Path file) {
    this.file = file;
    try {
      bytes = Files.size(file);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
    content = map(bytes);
  }

  /** {@code length} bytes from {@code offset} as a row of elements. */
  Tensor row(String tensor, DType dtype, long offset, long length) {
    if (offset < 0 || length < 0 || offset > bytes - length || length % dtype.bytes() != 0) {
      throw new WeightsException(
          file.toString(),
          tensor,
          "bytes " + offset + " to " + (offset + length) + " of a file of " + bytes + " bytes");
    }
    Tensor mapped = length < LARGE_BYTES ? content : map(offset + length);
    Tensor row = mapped.narrow(0, offset, length);
    if (dtype == DType.BOOL) {
      return row.ne(new Scalar(0)); // a byte other than 0 and 1 is no valid bool
    }
    // libtorch views bytes as wider elements only where the storage is aligned to them.
    boolean aligned = offset % dtype.bytes() == 0;
    return (aligned ? row : row.clone()).view(dtype.torch());
  }

  private Tensor map(long length) {
    try {
      return Tensors.map(file, length);
    } catch (RuntimeException e) {
      throw new WeightsException(
          file.toString(), "cannot be mapped into memory: " + e.getMessage(), e);
    }
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
