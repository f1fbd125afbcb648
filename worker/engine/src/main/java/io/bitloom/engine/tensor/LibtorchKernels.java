package io.bitloom.engine.tensor;

import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** libtorch's own operators, which every device has and gradients flow through. */
public abstract class LibtorchKernels implements Kernels {
  static {
    LibTorch.start();
  }

  private static final TensorOptional NONE = Scope.own(new TensorOptional());
  private static final ScalarOptional EUCLIDEAN = Scope.own(new ScalarOptional(new Scalar(2)));
  private static final Scalar LEAST_NORM = Scope.own(new Scalar(1e-12));
  private static final Scalar MINUS_INFINITY = Scope.own(new Scalar(Double.NEGATIVE_INFINITY));
  private static final long[] ONE = {1, 1};

  /** The operator's argument for a tensor that may be null. */
  protected static TensorOptional optional(Tensor tensor) {
    return tensor == null ? NONE : new TensorOptional(tensor);
  }

  /** x·weightᵀ + bias: x (…, in), weight (out, in), bias (out) or null. */
  public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return torch.linear(x, weight, optional(bias)); // (…, out)
  }

  /** The rows of a table (V, C) that indices (…) name, (…, C). */
  public static Tensor embedding(Tensor table, Tensor indices) {
    return table.is_meta() ? MetaOperators.rows(table, indices) : torch.embedding(table, indices);
  }

  @Override
  public Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return torch.layer_norm(
        x, new long[] {x.size(-1)}, optional(weight), optional(bias), eps, true);
  }

  @Override
  public Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
    return torch.rms_norm(x, new long[] {x.size(-1)}, optional(weight), new DoubleOptional(eps));
  }

  @Override
  public Tensor modulatedNorm(
      Tensor xRLC, boolean rms, double eps, Tensor scaleR1C, Tensor shiftR1C, DType reader) {
    return torch.addcmul(shiftR1C, plainNorm(xRLC, rms, eps), scaleR1C);
  }

  /** The norm without scale and shift. */
  protected final Tensor plainNorm(Tensor x, boolean rms, double eps) {
    return rms ? rmsNorm(x, null, eps) : layerNorm(x, null, null, eps);
  }

  @Override
  public Tensor gatedAdd(Tensor xRLC, Tensor addedRLC, Tensor gateR1C) {
    return torch.addcmul(xRLC, addedRLC, gateR1C);
  }

  @Override
  public Tensor geluTanh(Tensor x) {
    return torch.gelu(x, "tanh");
  }

  @Override
  public Tensor geluTanh(Tensor rowsNC, List<Integer> lengths) {
    return torch.gelu(rowsNC, "tanh");
  }

  @Override
  public Tensor silu(Tensor x) {
    return torch.silu(x);
  }

  @Override
  public Tensor rotate(Tensor xBLHc, Tensor angles) {
    long[] shape = xBLHc.shape();
    Tensor pairs = xBLHc.view(shape[0], shape[1], shape[2], shape[3] / 2, 2);
    Tensor turned = product(torch.view_as_complex(pairs), angles);
    return torch.view_as_real(turned).view(shape);
  }

  /** Product of complex tensors; {@code factor} (1, …) is the same for all images. */
  protected Tensor product(Tensor x, Tensor factor) {
    return x.mul(factor);
  }

  @Override
  public Heads rotateAndStore(Tensor qkvRL3Hc, Tensor factor, Tensor angles, Slot slot) {
    Tensor q = Tensors.to(qkvRL3Hc.select(2, 0), DType.F32); // (R, L, H, c)
    Tensor k = Tensors.to(qkvRL3Hc.select(2, 1), DType.F32); // (R, L, H, c)
    Tensor v = qkvRL3Hc.select(2, 2); // (R, L, H, c)
    if (factor != null) {
      q = l2Normalize(q, -1).mul(factor);
      k = l2Normalize(k, -1);
    }
    if (angles != null) {
      q = rotate(q, angles);
      k = rotate(k, angles);
    }
    if (slot == null) {
      return new Heads(q, k, v);
    }
    slot.fresh().select(0, 0).copy_(k);
    slot.fresh().select(0, 1).copy_(v);
    return new Heads(q, slot.keysRTHc(), slot.valuesRTHc());
  }

  @Override
  public List<BlockCache> caches(CacheSize size, DType dtype, TorchDevice device) {
    return RowsFirstCache.of(size, dtype, device);
  }

  /** x divided by its Euclidean norm along an axis, or by 1e-12 where the norm is less. */
  public static Tensor l2Normalize(Tensor x, int axis) {
    Tensor norm = x.norm(EUCLIDEAN, new long[] {axis}, true);
    return x.div(norm.clamp_min(LEAST_NORM));
  }

  @Override
  public Tensor attention(Tensor qBLHc, Tensor kBTHc, Tensor vBTHc, Tensor mask, double scale) {
    DType dtype = Tensors.dtype(vBTHc);
    Tensor attended =
        nativeAttention(
            Tensors.to(qBLHc, dtype).transpose(1, 2), // (B, H, L, c)
            Tensors.to(kBTHc, dtype).transpose(1, 2), // (B, H, T, c)
            vBTHc.transpose(1, 2), // (B, H, T, c)
            mask == null ? null : Tensors.to(mask, dtype),
            scale);
    return attended.transpose(1, 2).flatten(2, 3); // (B, L, H·c)
  }

  /** libtorch's own operator for {@link #attention}: operands of one type, heads before tokens. */
  protected Tensor nativeAttention(
      Tensor qBHLc, Tensor kBHTc, Tensor vBHTc, Tensor mask, double scale) {
    return torch.scaled_dot_product_attention(
        qBHLc, kBHTc, vBHTc, optional(mask), 0.0, false, new DoubleOptional(scale), false);
  }

  @Override
  public Matrix matrix(Tensor weight) {
    return new PlainMatrix(Scope.own(new Tensor(weight)));
  }

  private static final class PlainMatrix implements Matrix {
    private final Tensor weight;

    PlainMatrix(Tensor weight) {
      this.weight = weight;
    }

    @Override
    public Tensor times(Tensor x, Tensor bias) {
      return linear(x, weight, bias);
    }

    @Override
    public Tensor timesGelu(Tensor x, Tensor bias) {
      return torch.gelu(times(x, bias), "tanh");
    }

    @Override
    public void close() {
      weight.close();
    }
  }

  @Override
  public Tensor rowWise(Tensor xRLC, OfRows chain) {
    return chain.apply(xRLC, 0, Math.toIntExact(xRLC.size(0)));
  }

  @Override
  public Tensor filters(Tensor weight) {
    return weight;
  }

  @Override
  public Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    long[] strides = {stride, stride};
    long[] paddings = {padding, padding};
    return torch.conv2d(x, weight, optional(bias), strides, paddings, ONE, 1);
  }

  @Override
  public Tensor doubledConv2d(Tensor x, Tensor weight, Tensor bias) {
    return conv2d(Resize.doubled(x), weight, bias, 1, 1);
  }

  @Override
  public Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return nativeGroupNorm(x, groups, weight, bias, eps);
  }

  /** libtorch's own operator for {@link #groupNorm}. */
  protected Tensor nativeGroupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return torch.group_norm(x, groups, optional(weight), optional(bias), eps, true);
  }

  @Override
  public Tensor groupNormSilu(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean overwrites) {
    return torch.silu_(groupNorm(x, groups, weight, bias, eps));
  }

  @Override
  public Tensor uniform(Tensor startsB1, int count) {
    return SplitMix64.uniform(startsB1, count);
  }

  @Override
  public Tensor draw(Tensor logitsBNV, DrawRules rules, Tensor uniformBN) {
    try (Scope scope = Scope.open()) {
      return scope.keep(Tensors.to(drawn(logitsBNV, rules, uniformBN), drawnType(rules)));
    }
  }

  private static DType drawnType(DrawRules rules) {
    return rules.states() == 2 ? DType.U8 : DType.I64;
  }

  /** States (B, N) in whatever type. */
  private static Tensor drawn(Tensor logitsBNV, DrawRules rules, Tensor uniformBN) {
    if (rules.greedy()) {
      return likeliest(logitsBNV);
    }
    Tensor drawn =
        rules.states() == 2
            ? drawnOfTwo(logitsBNV, rules, uniformBN)
            : drawnOfMany(logitsBNV, rules, uniformBN);
    return rules.someGreedy()
        ? Tensors.where(
            rules.greedyB1(), Tensors.to(likeliest(logitsBNV), Tensors.dtype(drawn)), drawn)
        : drawn;
  }

  private static Tensor likeliest(Tensor logitsBNV) {
    return logitsBNV.argmax(new LongOptional(-1), false); // (B, N)
  }

  /** Inverts the cumulative distribution of each choice. */
  private static Tensor drawnOfMany(Tensor logitsBNV, DrawRules rules, Tensor uniformBN) {
    Tensor cumulative = probabilities(logitsBNV, rules).cumsum(-1); // (B, N, V)
    Tensor total = cumulative.narrow(-1, cumulative.size(-1) - 1, 1); // (B, N, 1)
    Tensor threshold = uniformBN.unsqueeze(-1).mul(total); // (B, N, 1)
    return cumulative.le(threshold).sum(new long[] {-1}); // (B, N)
  }

  /**
   * {@link #drawnOfMany} in closed form, to the same bits, whether it is state 1: without sorting,
   * because top-p can leave out the less likely state only, and then the other one is certain. Of
   * equally likely states it leaves out state 0. Top-k has no effect but at 1.
   */
  private static Tensor drawnOfTwo(Tensor logitsBN2, DrawRules rules, Tensor uniformBN) {
    Tensor probabilities = logitsBN2.softmax(-1);
    Tensor zero = probabilities.select(-1, 0); // (B, N)
    Tensor one = probabilities.select(-1, 1); // (B, N)
    Tensor drawn = zero.le(uniformBN.mul(zero.add(one)));
    if (!rules.leavesOut()) {
      return drawn;
    }
    Tensor certain = torch.minimum(zero, one).le(rules.leftOutB1());
    return Tensors.where(certain, logitsBN2.select(-1, 0).le(logitsBN2.select(-1, 1)), drawn);
  }

  /**
   * The distribution that is drawn from.
   *
   * @param logitsBNV logits after temperature
   * @return probabilities (B, N, V)
   */
  public static Tensor probabilities(Tensor logitsBNV, DrawRules rules) {
    Tensor logits = logitsBNV;
    if (rules.limitsStates()) {
      logits = logits.masked_fill(logits.lt(leastOfTopK(logits, rules)), MINUS_INFINITY);
    }
    if (rules.leavesOut()) {
      T_TensorTensor_T ascending = logits.sort(-1, false);
      Tensor cumulative = ascending.get0().softmax(-1).cumsum(-1);
      Tensor unlikely = cumulative.le(rules.leftOutB1().unsqueeze(-1));
      unlikely.narrow(-1, unlikely.size(-1) - 1, 1).zero_(); // the likeliest always stays
      Tensor removed = unlikely.scatter(-1, ascending.get1(), unlikely);
      logits = logits.masked_fill(removed, MINUS_INFINITY);
    }
    return logits.softmax(-1);
  }

  /** The least logit that top-k leaves in, (B, N, 1). */
  private static Tensor leastOfTopK(Tensor logitsBNV, DrawRules rules) {
    boolean alike = rules.limitAlike();
    Tensor largest = logitsBNV.topk(rules.mostStates(), -1, true, !alike).get0();
    return alike
        ? largest.amin(new long[] {-1}, true)
        : largest.gather(
            -1, rules.lastB1().unsqueeze(-1).expand(logitsBNV.size(0), logitsBNV.size(1), 1));
  }
}
