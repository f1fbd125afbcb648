package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.BoxedOperator;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibtorchKernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * The operators on GPUs: libtorch's own, on whole batches, because a launch is what costs. Without
 * gradients they are said in fewer of them, which read and write less besides: a kernel rounds what
 * it writes to the type that the next one reads, and q and k are one tensor.
 */
public class CudaKernels extends LibtorchKernels {
  private static final BoxedOperator ADDMM_ACTIVATION = BoxedOperator.of("aten::_addmm_activation");
  private static final IValue ONE = Scope.own(new IValue(new Scalar(1)));
  private static final IValue WITH_GELU = Scope.own(new IValue(true));

  private static final ScalarTypeOptional FLOAT =
      Scope.own(new ScalarTypeOptional(DType.F32.torch()));
  private static final ScalarOptional BIASED = Scope.own(new ScalarOptional(new Scalar(0)));
  private static final Scalar FACTOR_ONE = Scope.own(new Scalar(1));
  private static final Scalar MINUS_ONE = Scope.own(new Scalar(-1));
  private static final long[] HEIGHT_AND_WIDTH = {2, 3};

  /** A vector is divided by its length, or by this where it is shorter. */
  private static final double LEAST_LENGTH = 1e-12;

  /** c times 1/√c, by device and c. */
  private final Map<String, Tensor> inverseRoots = new ConcurrentHashMap<>();

  @Override
  public Tensor modulatedNorm(
      Tensor xRLC, boolean rms, double eps, Tensor scaleR1C, Tensor shiftR1C, DType reader) {
    if (GradMode.is_enabled()) {
      return super.modulatedNorm(xRLC, rms, eps, scaleR1C, shiftR1C, reader);
    }
    Tensor normed = plainNorm(xRLC, rms, eps);
    return torch.addcmul_out(emptyLike(normed, reader), shiftR1C, normed, scaleR1C);
  }

  private static Tensor emptyLike(Tensor x, DType dtype) {
    return torch.empty_like(x, new TensorOptions(dtype.torch()), new MemoryFormatOptional());
  }

  @Override
  public Heads rotateAndStore(Tensor qkvRL3Hc, Tensor factor, Tensor angles, Slot slot) {
    if (GradMode.is_enabled()) {
      return super.rotateAndStore(qkvRL3Hc, factor, angles, slot);
    }
    if (factor != null || angles != null) {
      Tensor qk = qkvRL3Hc.narrow(2, 0, 2); // (R, L, 2, H, c)
      qk.copy_(turned(Tensors.to(qk, DType.F32), factor, angles));
    }
    Tensor q = qkvRL3Hc.select(2, 0); // (R, L, H, c)
    if (slot == null) {
      return new Heads(q, qkvRL3Hc.select(2, 1), qkvRL3Hc.select(2, 2));
    }
    slot.fresh().copy_(qkvRL3Hc.narrow(2, 1, 2).permute(2, 0, 1, 3, 4));
    return new Heads(q, slot.keysRTHc(), slot.valuesRTHc());
  }

  private Tensor turned(Tensor qkRL2Hc, Tensor factor, Tensor angles) {
    Tensor qk = qkRL2Hc;
    if (factor != null) {
      qk = unit(qk);
      qk.select(2, 0).mul_(factor);
    }
    return angles == null ? qk : rotate(qk.flatten(2, 3), angles).view(qk.shape());
  }

  /** Vectors of the last axis divided by their lengths: one kernel, since RMS norm is one. */
  private Tensor unit(Tensor x) {
    long c = x.size(-1);
    return rmsNorm(x, inverseRoot(x, c), LEAST_LENGTH * LEAST_LENGTH / c);
  }

  private Tensor inverseRoot(Tensor like, long c) {
    return inverseRoots.computeIfAbsent(
        like.device().str().getString() + " " + c,
        key -> {
          try (Scope scope = Scope.open()) {
            return Scope.own(like.new_full(new long[] {c}, new Scalar(1 / Math.sqrt(c))));
          }
        });
  }

  @Override
  public List<BlockCache> caches(CacheSize size, DType dtype, TorchDevice device) {
    return TokensFirstCache.of(size, dtype, device);
  }

  @Override
  public boolean padsSequences() {
    return true;
  }

  /** {@inheritDoc} Channels last, as the maps are: else libtorch reorders them in every call. */
  @Override
  public Tensor filters(Tensor weight) {
    return weight.requires_grad() ? weight : Tensors.channelsLast(weight);
  }

  @Override
  public Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return takes(x, weight, bias)
        ? normed(torch.empty_like(x), x, groups, weight, bias, eps)
        : super.groupNorm(x, groups, weight, bias, eps);
  }

  @Override
  public Tensor groupNormSilu(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean overwrites) {
    if (!takes(x, weight, bias)) {
      return super.groupNormSilu(x, groups, weight, bias, eps, overwrites);
    }
    Tensor result = overwrites ? x : torch.empty_like(x);
    return torch.silu_(normed(result, x, groups, weight, bias, eps));
  }

  private static boolean takes(Tensor x, Tensor weight, Tensor bias) {
    boolean learns = GradMode.is_enabled() && (x.requires_grad() || weight.requires_grad());
    return weight != null && bias != null && !learns && lastChannels(x);
  }

  private static boolean lastChannels(Tensor x) {
    return x.dim() == 4 && x.is_contiguous(torch.MemoryFormat.ChannelsLast);
  }

  /**
   * Group normalization of a map with its channels last, which libtorch's operator for GPUs would
   * bring into another order and back. The map is read for the mean and the variance of each
   * channel, in float32 whatever its type, and once more to be written as x·scale + shift. What
   * groups share is computed from the C moments of each image: a group's variance is the mean of
   * its channels' variances and the variance of their means.
   *
   * @param result (B, C, H, W); x itself, if nothing else needs it
   */
  private Tensor normed(
      Tensor result, Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    try (Scope scope = Scope.open()) {
      long images = x.size(0);
      long channels = x.size(1);
      Tensor means = torch.mean(x, HEIGHT_AND_WIDTH, false, FLOAT).view(images, groups, -1);
      Tensor mean = torch.mean(means, new long[] {-1}, true, FLOAT); // (B, G, 1)
      Tensor distances = means.sub(mean); // (B, G, C/G)
      Tensor variances = variances(torch.empty_like(means).view(images, channels), x);
      Tensor variance =
          torch
              .addcmul(variances.view(images, groups, -1), distances, distances)
              .mean(new long[] {-1}, true, FLOAT); // (B, G, 1)
      Tensor deviation = Tensors.plus(variance, eps).rsqrt();
      Tensor scale = deviation.mul(perGroup(weight, groups)); // (B, G, C/G)
      Tensor shift = torch.addcmul(perGroup(bias, groups), mean, scale, MINUS_ONE);
      torch.addcmul_out(
          result,
          shift.view(images, channels, 1, 1),
          x,
          scale.view(images, channels, 1, 1),
          FACTOR_ONE);
    }
    return result;
  }

  /** The variance of each channel of each image of a map, into a tensor (B, C) in its type. */
  protected Tensor variances(Tensor into, Tensor x) {
    return torch.var_out(into, x, HEIGHT_AND_WIDTH, BIASED, false);
  }

  private static Tensor perGroup(Tensor parameterC, int groups) {
    return Tensors.to(parameterC, DType.F32).view(1, groups, -1); // (1, G, C/G)
  }

  @Override
  public Matrix matrix(Tensor weight) {
    return new CudaMatrix(super.matrix(weight), Scope.own(new Tensor(weight.t())));
  }

  /**
   * @param transposed the weight (in, out)
   */
  private record CudaMatrix(Matrix plain, Tensor transposed) implements Matrix {
    @Override
    public Tensor times(Tensor x, Tensor bias) {
      return plain.times(x, bias);
    }

    /**
     * {@inheritDoc}
     *
     * <p>One kernel, in which GELU is the tanh approximation on GPUs only: libtorch's own tests
     * hold {@code _addmm_activation} to it there, and to the exact form on CPUs.
     */
    @Override
    public Tensor timesGelu(Tensor x, Tensor bias) {
      if (bias == null || x.is_cpu() || GradMode.is_enabled()) {
        return plain.timesGelu(x, bias);
      }
      long[] shape = x.shape();
      Tensor out =
          ADDMM_ACTIVATION.call(
              new IValue(bias),
              new IValue(x.reshape(-1, shape[shape.length - 1])),
              new IValue(transposed),
              ONE,
              ONE,
              WITH_GELU); // (all rows, out)
      shape[shape.length - 1] = out.size(1);
      return out.view(shape);
    }

    @Override
    public void close() {
      plain.close();
      transposed.close();
    }
  }
}
