package io.bitloom.engine.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Operators on libtorch's meta device that it has no kernel for: PyTorch brings these in Python
 * only. The result is a tensor of the shape, type and layout that a GPU would answer with, and
 * filled in one operator, as a GPU would compute it in one; operands that a GPU would refuse, or
 * that lie elsewhere, are refused.
 */
public final class MetaOperators {
  private MetaOperators() {}

  /** Layer norm of the last axis of x (…, C), with weight and bias (C) or null. */
  public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias) {
    requireVector(x, weight, x.size(-1));
    requireVector(x, bias, x.size(-1));
    return plain(x, x.shape());
  }

  /** Group norm of x (B, C, H, W), with weight and bias (C); CUDA answers with channels first. */
  public static Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias) {
    require(x.size(1) % groups == 0, "group norm", groups + " groups of", x);
    requireVector(x, weight, x.size(1));
    requireVector(x, bias, x.size(1));
    return plain(x, x.shape());
  }

  /** Convolution of x (B, in, H, W) with weight (out, in, k, k) and bias (out) or null. */
  public static Tensor convolution(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    requireAlike(x, weight);
    require(x.dim() == 4 && weight.dim() == 4, "convolution", "axes of", x, weight);
    require(x.size(1) == weight.size(1), "convolution", "channels of", x, weight);
    requireVector(x, bias, weight.size(0));
    long height = (x.size(2) + 2L * padding - weight.size(2)) / stride + 1;
    long width = (x.size(3) + 2L * padding - weight.size(3)) / stride + 1;
    long[] shape = {x.size(0), weight.size(0), height, width};
    boolean channelsLast = !x.is_contiguous() && x.is_contiguous(torch.MemoryFormat.ChannelsLast);
    return channelsLast
        ? torch
            .empty(
                shape,
                Tensors.options(Tensors.dtype(x), TorchDevice.META),
                new MemoryFormatOptional(torch.MemoryFormat.ChannelsLast))
            .zero_()
        : plain(x, shape);
  }

  /**
   * Attention of queries (B, H, L, c) to keys and values (B, H, T, c).
   *
   * @param mask of the queries' type, or null; broadcast to (B, H, L, T)
   * @return (B, H, L, c), in memory (B, L, H, c) as flash attention leaves it
   */
  public static Tensor attention(Tensor qBHLc, Tensor kBHTc, Tensor vBHTc, Tensor mask) {
    requireAlike(qBHLc, kBHTc);
    requireAlike(qBHLc, vBHTc);
    long[] q = qBHLc.shape();
    long[] k = kBHTc.shape();
    require(Arrays.equals(k, vBHTc.shape()), "attention", "keys and values", kBHTc, vBHTc);
    require(
        q.length == 4 && k.length == 4 && q[0] == k[0] && q[1] == k[1] && q[3] == k[3],
        "attention",
        "queries and keys",
        qBHLc,
        kBHTc);
    if (mask != null) {
      requireAlike(qBHLc, mask);
      try (Scope scope = Scope.open()) {
        mask.expand(q[0], q[1], q[2], k[2]);
      }
    }
    return plain(qBHLc, q[0], q[2], q[1], q[3]).transpose(1, 2);
  }

  /** The rows of a table (V, C) that indices (…) name, (…, C). */
  static Tensor rows(Tensor tableVC, Tensor indices) {
    requireMeta(tableVC, indices);
    require(Tensors.dtype(indices) == DType.I64, "rows", "type of indices", indices);
    long[] of = tableVC.shape();
    long[] at = indices.shape();
    long[] shape = Arrays.copyOf(at, at.length + of.length - 1);
    System.arraycopy(of, 1, shape, at.length, of.length - 1);
    return plain(tableVC, shape);
  }

  /** a where the condition holds, b elsewhere; all are broadcast to one shape. */
  static Tensor where(Tensor condition, Tensor a, Tensor b) {
    requireMeta(condition, a, b);
    require(Tensors.dtype(condition) == DType.BOOL, "where", "type of the condition", condition);
    requireAlike(a, b);
    try (Scope scope = Scope.open()) {
      long[] shape = torch.broadcast_tensors(new TensorVector(condition, a, b)).get(0).shape();
      return scope.keep(plain(a, shape));
    }
  }

  /** {@link Resize#area}. */
  static Tensor area(Tensor xBCHW, int height, int width) {
    return plain(xBCHW, xBCHW.size(0), xBCHW.size(1), height, width);
  }

  private static Tensor plain(Tensor like, long... shape) {
    return Tensors.zeros(Tensors.dtype(like), TorchDevice.META, shape);
  }

  private static void requireVector(Tensor x, Tensor vector, long length) {
    if (vector != null) {
      requireAlike(x, vector);
      require(vector.dim() == 1 && vector.size(0) == length, "a vector of", "" + length, vector);
    }
  }

  /** That both are on the meta device and of one type. */
  private static void requireAlike(Tensor a, Tensor b) {
    requireMeta(a, b);
    require(
        Tensors.dtype(a) == Tensors.dtype(b),
        "operands of one type",
        Tensors.dtype(a) + " and " + Tensors.dtype(b),
        a,
        b);
  }

  private static void requireMeta(Tensor... tensors) {
    for (Tensor tensor : tensors) {
      require(tensor.is_meta(), "operands on one device", "one is not on meta:", tensors);
    }
  }

  private static void require(boolean holds, String operator, String what, Tensor... tensors) {
    if (!holds) {
      String shapes =
          String.join(", ", Arrays.stream(tensors).map(t -> Arrays.toString(t.shape())).toList());
      throw new IllegalArgumentException(operator + ": " + what + " " + shapes);
    }
  }
}
