package io.bitloom.engine.tensor;

import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
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
      Tensor xRLC, boolean rms, double eps, Tensor scaleR1C, Tensor shiftR1C) {
    Tensor normed = rms ? rmsNorm(xRLC, null, eps) : layerNorm(xRLC, null, null, eps);
    return torch.addcmul(shiftR1C, normed, scaleR1C);
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
    long tokens = k.size(1);
    slot.keysRTHc().narrow(1, slot.from(), tokens).copy_(k);
    slot.valuesRTHc().narrow(1, slot.from(), tokens).copy_(v);
    return new Heads(q, slot.keysRTHc(), slot.valuesRTHc());
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
        torch.scaled_dot_product_attention(
            Tensors.to(qBLHc, dtype).transpose(1, 2), // (B, H, L, c)
            Tensors.to(kBTHc, dtype).transpose(1, 2), // (B, H, T, c)
            vBTHc.transpose(1, 2), // (B, H, T, c)
            mask == null ? NONE : new TensorOptional(Tensors.to(mask, dtype)),
            0.0,
            false,
            new DoubleOptional(scale),
            false);
    return attended.transpose(1, 2).flatten(2, 3); // (B, L, H·c)
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
    return torch.group_norm(x, groups, optional(weight), optional(bias), eps, true);
  }

  @Override
  public Tensor groupNormSilu(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean overwrites) {
    return torch.silu_(groupNorm(x, groups, weight, bias, eps));
  }

  @Override
  public Tensor draw(Tensor logitsBNV, List<Draw> images) {
    TensorVector drawn = new TensorVector();
    for (int i = 0; i < images.size(); i++) {
      try (Scope scope = Scope.open()) { // sorting takes more memory than the logits
        drawn.push_back(draw(logitsBNV.select(0, i), images.get(i)));
      }
    }
    return torch.stack(drawn, 0);
  }

  /** Inverts the cumulative distribution of each choice (N, V) to states (N). */
  private static Tensor draw(Tensor logitsNV, Draw image) {
    if (image.greedy()) {
      return logitsNV.argmax(new LongOptional(-1), false);
    }
    Tensor cumulative = probabilities(logitsNV, image.topK(), image.topP()).cumsum(-1); // (N, V)
    Tensor total = cumulative.narrow(-1, cumulative.size(-1) - 1, 1); // (N, 1)
    int count = Math.toIntExact(logitsNV.size(0));
    Tensor uniform =
        Tensors.of(image.random().next(count), count, 1)
            .to(logitsNV.device(), DType.F32.torch()); // (N, 1)
    return cumulative.le(uniform.mul(total)).sum(new long[] {-1}); // (N)
  }

  /**
   * The distribution that is drawn from. With 2 states top-k has effect at 1 only, and top-p means
   * that a state of probability at most 1 − p never occurs.
   *
   * @param logitsNV logits after temperature
   * @param topK see {@link Kernels.Draw#topK()}
   * @param topP see {@link Kernels.Draw#topP()}
   * @return probabilities (N, V)
   */
  public static Tensor probabilities(Tensor logitsNV, int topK, double topP) {
    Tensor logits = logitsNV;
    if (topK > 0) {
      long k = Math.min(topK, logits.size(-1));
      Tensor kth = logits.topk(k, -1, true, false).get0().amin(new long[] {-1}, true);
      logits = logits.masked_fill(logits.lt(kth), MINUS_INFINITY);
    }
    if (topP > 0) {
      T_TensorTensor_T ascending = logits.sort(-1, false);
      Tensor unlikely = ascending.get0().softmax(-1).cumsum(-1).le(new Scalar(1 - topP));
      unlikely.narrow(-1, unlikely.size(-1) - 1, 1).zero_(); // the likeliest always stays
      Tensor removed = unlikely.scatter(-1, ascending.get1(), unlikely);
      logits = logits.masked_fill(removed, MINUS_INFINITY);
    }
    return logits.softmax(-1);
  }
}
