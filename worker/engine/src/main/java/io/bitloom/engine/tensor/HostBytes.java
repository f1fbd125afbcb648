package io.bitloom.engine.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Unsigned bytes on their way from a device to the host, which need not wait for them: a GPU writes
 * them into page-locked memory once it has done what was queued before. On a CPU they are there.
 */
public final class HostBytes implements AutoCloseable {
  private final Tensor host; // (N, …)

  private HostBytes(Tensor host) {
    this.host = Scope.own(host);
  }

  /**
   * Queues the copy of N equal parts.
   *
   * @param bytes (N, …) of unsigned bytes
   */
  public static HostBytes of(Tensor bytes) {
    try (Scope scope = Scope.open()) {
      Tensor plain = bytes.contiguous();
      return new HostBytes(plain.is_cuda() ? queued(plain) : new Tensor(plain));
    }
  }

  /** The copy, not waited for: libtorch keeps the memory that it reads until it is made. */
  private static Tensor queued(Tensor bytes) {
    TensorOptions pinned =
        Tensors.options(DType.U8, TorchDevice.CPU).pinned_memory(new BoolOptional(true));
    return torch.empty(bytes.shape(), pinned, new MemoryFormatOptional()).copy_(bytes, true);
  }

  /** The parts, after {@link TorchDevice#synchronize}: before, a GPU may still be writing them. */
  public List<byte[]> parts() {
    try (Scope scope = Scope.open()) {
      List<byte[]> parts = new ArrayList<>();
      for (long i = 0; i < host.size(0); i++) {
        Tensor part = host.select(0, i);
        byte[] values = new byte[Math.toIntExact(part.numel())];
        new BytePointer(part.data_ptr()).get(values);
        parts.add(values);
      }
      return parts;
    }
  }

  @Override
  public void close() {
    host.close();
  }
}
