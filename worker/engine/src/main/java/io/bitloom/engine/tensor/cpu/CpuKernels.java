package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DrawRules;
import io.bitloom.engine.tensor.LibtorchKernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.SplitMix64;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import java.util.function.BiConsumer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The operators on CPUs. Without gradients an image's result depends neither on its batch nor on
 * the number of threads, down to the last bit:
 *
 * <p>libtorch cuts a tensor into equal shares for its threads and computes the last few elements of
 * a share with scalar code, whose last bit differs from the vector code's for all functions but the
 * basic ones. With a number of threads that is no power of two the cuts move with the batch size,
 * so these functions run on one image (axis 0) at a time.
 */
public final class CpuKernels extends LibtorchKernels {
  /** Tokens of all rows from which on a core has enough to do with some of the rows alone. */
  private static final long LEAST_TOKENS = 64;

  /** Tokens whose activations stay in the cache of a core. */
  private static final long PIECE_TOKENS = 256;

  private static final long[] ONE = {1, 1};

  /**
   * Whether this CPU has bfloat16 arithmetic; without it such operators are hundreds of times
   * slower.
   */
  public static boolean computesBf16() {
    return OneDnn.bf16();
  }

  /** The type that operators on {@code dtype} compute in on this CPU. */
  static DType kernelType(DType dtype) {
    return dtype == DType.BF16 && !OneDnn.bf16() ? DType.F32 : dtype;
  }

  @Override
  public Tensor geluTanh(Tensor x) {
    return GradMode.is_enabled()
        ? super.geluTanh(x)
        : perImage(x, (in, out) -> torch.gelu_out(out, in, "tanh"));
  }

  @Override
  public Tensor geluTanh(Tensor rowsNC, List<Integer> lengths) {
    if (GradMode.is_enabled()) {
      return super.geluTanh(rowsNC, lengths);
    }
    Tensor result = torch.empty_like(rowsNC);
    long start = 0;
    for (int length : lengths) {
      torch.gelu_out(result.narrow(0, start, length), rowsNC.narrow(0, start, length), "tanh");
      start += length;
    }
    return result;
  }

  @Override
  public Tensor silu(Tensor x) {
    return GradMode.is_enabled()
        ? super.silu(x)
        : perImage(x, (in, out) -> torch.silu_out(out, in));
  }

  @Override
  protected Tensor product(Tensor x, Tensor factor) {
    return GradMode.is_enabled()
        ? super.product(x, factor)
        : perImage(x, (in, out) -> torch.mul_out(out, in, factor));
  }

  private static Tensor perImage(Tensor x, BiConsumer<Tensor, Tensor> into) {
    Tensor result = torch.empty_like(x);
    for (long i = 0; i < x.size(0); i++) {
      into.accept(x.narrow(0, i, 1), result.narrow(0, i, 1));
    }
    return result;
  }

  /**
   * {@inheritDoc}
   *
   * <p>libtorch's fused kernel, except for bfloat16, where three plain operators are five times
   * faster on CPUs with bfloat16 arithmetic, and float32 is on others.
   */
  @Override
  public Tensor attention(Tensor qBLHc, Tensor kBTHc, Tensor vBTHc, Tensor mask, double scale) {
    DType dtype = Tensors.dtype(vBTHc);
    if (dtype != DType.BF16) {
      return super.attention(qBLHc, kBTHc, vBTHc, mask, scale);
    }
    if (!OneDnn.bf16()) {
      Tensor wide = super.attention(qBLHc, kBTHc, Tensors.to(vBTHc, DType.F32), mask, scale);
      return Tensors.to(wide, dtype);
    }
    Tensor q = Tensors.to(qBLHc, dtype).transpose(1, 2).mul(new Scalar(scale)); // (B, H, L, c)
    Tensor k = Tensors.to(kBTHc, dtype).permute(0, 2, 3, 1); // (B, H, c, T)
    Tensor scores = torch.matmul(q, k); // (B, H, L, T)
    Tensor seen = mask == null ? scores : scores.add(Tensors.to(mask, dtype));
    Tensor attended = torch.matmul(seen.softmax(-1), vBTHc.transpose(1, 2)); // (B, H, L, c)
    return attended.transpose(1, 2).flatten(2, 3);
  }

  @Override
  public boolean padsSequences() {
    return false;
  }

  @Override
  public Matrix matrix(Tensor weight) {
    DType dtype = Tensors.dtype(weight);
    return dtype == DType.F32 || dtype == DType.BF16
        ? new OneDnnMatrix(weight)
        : super.matrix(weight);
  }

  @Override
  public Tensor rowWise(Tensor xRLC, OfRows chain) {
    int rows = Math.toIntExact(xRLC.size(0));
    long tokens = rows * xRLC.size(1);
    int team = CpuTeam.size();
    if (GradMode.is_enabled() || rows < team || tokens < LEAST_TOKENS) {
      return super.rowWise(xRLC, chain);
    }
    int pieces = Math.toIntExact(Math.min(rows, Math.max(team, tokens / PIECE_TOKENS)));
    Tensor out = torch.empty_like(xRLC);
    CpuTeam.run(
        pieces,
        piece -> {
          int first = piece * rows / pieces;
          int count = (piece + 1) * rows / pieces - first;
          Tensor x = xRLC.narrow(0, first, count);
          out.narrow(0, first, count).copy_(chain.apply(x, first, count));
        });
    return out;
  }

  @Override
  public Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    return frozen(x, weight)
        ? CpuConvolution.apply(x, weight, bias, stride, padding)
        : plainConv2d(x, weight, bias, stride, padding);
  }

  @Override
  public Tensor doubledConv2d(Tensor x, Tensor weight, Tensor bias) {
    return frozen(x, weight)
        ? CpuConvolution.applyDoubled(x, weight, bias)
        : super.doubledConv2d(x, weight, bias);
  }

  /**
   * The sum over all taps, always oneDNN's: left to itself, libtorch takes NNPACK's Winograd form
   * or OpenBLAS where one thread computes, which round differently.
   */
  static Tensor plainConv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    long[] strides = {stride, stride};
    long[] paddings = {padding, padding};
    DType dtype = Tensors.dtype(x);
    return dtype == DType.F32 || dtype == DType.BF16
        ? torch.mkldnn_convolution(x, weight, optional(bias), paddings, strides, ONE, 1)
        : torch.conv2d(x, weight, optional(bias), strides, paddings, ONE, 1);
  }

  @Override
  public Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return exactly(x, weight, bias)
        ? CpuGroupNorm.into(torch.empty_like(x), x, groups, weight, bias, eps, false)
        : super.groupNorm(x, groups, weight, bias, eps);
  }

  @Override
  public Tensor groupNormSilu(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean overwrites) {
    if (exactly(x, weight, bias)) {
      Tensor result = overwrites ? x : torch.empty_like(x);
      return CpuGroupNorm.into(result, x, groups, weight, bias, eps, true);
    }
    Tensor normed = groupNorm(x, groups, weight, bias, eps);
    return differentiated(normed) ? torch.silu_(normed) : CpuPieces.silu(normed);
  }

  private static boolean exactly(Tensor x, Tensor weight, Tensor bias) {
    return weight != null && bias != null && frozen(x, weight) && CpuGroupNorm.takes(x);
  }

  private static boolean frozen(Tensor x, Tensor weight) {
    return !differentiated(x) && !differentiated(weight);
  }

  private static boolean differentiated(Tensor x) {
    return GradMode.is_enabled() && x.requires_grad();
  }

  /** {@inheritDoc} Plain Java is several times faster than libtorch with whole tensors. */
  @Override
  public Tensor uniform(Tensor startsB1, int count) {
    long[] starts = Tensors.longs(startsB1);
    Tensor numbers = Tensors.empty(DType.F32, TorchDevice.CPU, starts.length, count);
    for (int i = 0; i < starts.length; i++) {
      new FloatPointer(numbers.select(0, i).data_ptr()).put(SplitMix64.uniform(starts[i], count));
    }
    return numbers;
  }

  /** {@inheritDoc} One image at a time, because it takes several times the memory of the logits. */
  @Override
  public Tensor draw(Tensor logitsBNV, DrawRules rules, Tensor uniformBN) {
    TensorVector drawn = new TensorVector();
    for (int i = 0; i < logitsBNV.size(0); i++) {
      Tensor uniform = uniformBN == null ? null : uniformBN.narrow(0, i, 1);
      drawn.push_back(super.draw(logitsBNV.narrow(0, i, 1), rules.image(i), uniform));
    }
    return torch.cat(drawn, 0);
  }

  /**
   * A weight in oneDNN's own order. BLAS is up to five times slower on the few rows of the first
   * scales, and a row's last bits depend there on how many other rows share the call; with oneDNN
   * they depend on the row alone, so that an image does not change with the batch it is made in.
   *
   * <p>bfloat16 on a CPU without bfloat16 arithmetic: inputs, weight and outputs are rounded to
   * bfloat16 and the products are computed in float32, which is what such arithmetic does.
   */
  private static final class OneDnnMatrix implements Matrix {
    private final Tensor reordered;
    private final DType dtype;

    OneDnnMatrix(Tensor weight) {
      dtype = Tensors.dtype(weight);
      try (Scope scope = Scope.open()) {
        reordered = Scope.own(new Tensor(OneDnn.reorder(Tensors.to(weight, kernelType(dtype)))));
      }
    }

    @Override
    public Tensor times(Tensor x, Tensor bias) {
      return apply(OneDnn::linear, x, bias);
    }

    @Override
    public Tensor timesGelu(Tensor x, Tensor bias) {
      return apply(OneDnn::linearGelu, x, bias);
    }

    private interface Operator {
      Tensor apply(Tensor x, Tensor weight, Tensor bias);
    }

    private Tensor apply(Operator operator, Tensor x, Tensor bias) {
      DType kernel = kernelType(dtype);
      Tensor kernelBias = bias == null ? null : Tensors.to(bias, kernel);
      return Tensors.to(operator.apply(Tensors.to(x, kernel), reordered, kernelBias), dtype);
    }

    @Override
    public void close() {
      reordered.close();
    }
  }
}
