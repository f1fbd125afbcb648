package io.bitloom.engine.tensor;

import java.util.List;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Elementwise functions whose result for an image does not depend on the rest of the batch.
 *
 * <p>On the CPU libtorch cuts a tensor into equal shares for its threads and computes the last few
 * elements of a share with scalar code, whose last bit differs from the vector code's for all
 * functions but the basic ones. With a number of threads that is no power of two the cuts move with
 * the batch size, so without gradients these functions run on one image (axis 0) at a time.
 */
public final class PerImage {
  private PerImage() {}

  /** GELU in its tanh approximation. */
  public static Tensor geluTanh(Tensor x) {
    return GradMode.is_enabled()
        ? torch.gelu(x, "tanh")
        : map(x, (in, out) -> torch.gelu_out(out, in, "tanh"));
  }

  /** {@link #geluTanh(Tensor)} of texts of these lengths, one after the other (N, C). */
  public static Tensor geluTanh(Tensor rowsNC, List<Integer> lengths) {
    if (GradMode.is_enabled()) {
      return torch.gelu(rowsNC, "tanh");
    }
    Tensor result = torch.empty_like(rowsNC);
    long start = 0;
    for (int length : lengths) {
      torch.gelu_out(result.narrow(0, start, length), rowsNC.narrow(0, start, length), "tanh");
      start += length;
    }
    return result;
  }

  /** x·sigmoid(x). */
  public static Tensor silu(Tensor x) {
    return GradMode.is_enabled() ? torch.silu(x) : map(x, (in, out) -> torch.silu_out(out, in));
  }

  /** Product of complex tensors; {@code factor} (1, …) is the same for all images. */
  public static Tensor mul(Tensor x, Tensor factor) {
    return GradMode.is_enabled()
        ? x.mul(factor)
        : map(x, (in, out) -> torch.mul_out(out, in, factor));
  }

  private static Tensor map(Tensor x, BiConsumer<Tensor, Tensor> into) {
    Tensor result = torch.empty_like(x);
    for (long i = 0; i < x.size(0); i++) {
      into.accept(x.narrow(0, i, 1), result.narrow(0, i, 1));
    }
    return result;
  }
}
