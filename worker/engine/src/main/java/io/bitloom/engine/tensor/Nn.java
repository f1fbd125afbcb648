package io.bitloom.engine.tensor;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The layers of the models as functions of their input and their parameters. A parameter that a
 * layer can do without may be null. Differentiable throughout; no function changes its arguments.
 */
public final class Nn {
  static {
    LibTorch.start();
  }

  private static final TensorOptional NONE = Scope.own(new TensorOptional());
  private static final ScalarTypeOptional SAME_TYPE = Scope.own(new ScalarTypeOptional());
  private static final ScalarOptional EUCLIDEAN = Scope.own(new ScalarOptional(new Scalar(2)));
  private static final Scalar LEAST_NORM = Scope.own(new Scalar(1e-12));
  private static final long[] ONE = {1, 1};

  private Nn() {}

  /** x·weightᵀ + bias: x (…, in), weight (out, in), bias (out) or null. */
  public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return torch.linear(x, weight, optional(bias)); // (…, out)
  }

  /** Normalises the last axis to mean 0 and variance 1, then scales and shifts where given. */
  public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return torch.layer_norm(
        x, new long[] {x.size(-1)}, optional(weight), optional(bias), eps, true);
  }

  /** {@link #layerNorm(Tensor, Tensor, Tensor, double)} without scale and shift. */
  public static Tensor layerNorm(Tensor x, double eps) {
    return layerNorm(x, null, null, eps);
  }

  /** Divides the last axis by its root mean square, then scales by weight (null: not). */
  public static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
    return torch.rms_norm(x, new long[] {x.size(-1)}, optional(weight), new DoubleOptional(eps));
  }

  /** Normalises groups of channels of x (B, C, H, W) together; weight and bias are (C). */
  public static Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    if (!ownGroupNorm(x, weight, bias)) {
      return torch.group_norm(x, groups, optional(weight), optional(bias), eps, true);
    }
    Tensor result = torch.empty_like(x);
    CpuGroupNorm.into(result, x, groups, weight, bias, eps, false);
    return result;
  }

  /** x·sigmoid(x) of {@link #groupNorm}. */
  public static Tensor groupNormSilu(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    if (!ownGroupNorm(x, weight, bias)) {
      return siluOver(groupNorm(x, groups, weight, bias, eps));
    }
    Tensor result = torch.empty_like(x);
    CpuGroupNorm.into(result, x, groups, weight, bias, eps, true);
    return result;
  }

  /** {@link #groupNormSilu}, over x where that saves memory: nothing else may need x. */
  public static Tensor groupNormSiluInPlace(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    if (!ownGroupNorm(x, weight, bias)) {
      return groupNormSilu(x, groups, weight, bias, eps);
    }
    CpuGroupNorm.into(x, x, groups, weight, bias, eps, true);
    return x;
  }

  private static boolean ownGroupNorm(Tensor x, Tensor weight, Tensor bias) {
    return weight != null && bias != null && frozenOnCpu(x, weight) && CpuGroupNorm.takes(x);
  }

  /** x divided by its Euclidean norm along an axis, or by 1e-12 where the norm is less. */
  public static Tensor l2Normalize(Tensor x, int axis) {
    Tensor norm = x.norm(EUCLIDEAN, new long[] {axis}, true);
    return x.div(norm.clamp_min(LEAST_NORM));
  }

  /**
   * Convolution of x (B, in, H, W) with weight (out, in, k, k), zero padding on all four sides;
   * bias (out) or null. Without gradients, the CPU takes the quickest algorithm for the size; maps
   * with channels last are quickest.
   */
  public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    return frozenOnCpu(x, weight)
        ? CpuConvolution.apply(x, weight, bias, stride, padding)
        : plainConv2d(x, weight, bias, stride, padding);
  }

  /**
   * {@link #conv2d} with a 3×3 kernel, stride 1 and padding 1 of x (B, in, H, W) doubled by
   * repeating every cell: (B, out, 2H, 2W).
   */
  public static Tensor doubledConv2d(Tensor x, Tensor weight, Tensor bias) {
    return frozenOnCpu(x, weight)
        ? CpuConvolution.applyDoubled(x, weight, bias)
        : plainConv2d(Resize.doubled(x), weight, bias, 1, 1);
  }

  private static boolean frozenOnCpu(Tensor x, Tensor weight) {
    boolean gradients = GradMode.is_enabled() && (x.requires_grad() || weight.requires_grad());
    return !gradients && !x.is_cuda();
  }

  /**
   * The sum over all taps. On the CPU always oneDNN's: left to itself, libtorch takes NNPACK's
   * Winograd form or OpenBLAS where one thread computes, which round differently.
   */
  static Tensor plainConv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    long[] strides = {stride, stride};
    long[] paddings = {padding, padding};
    DType dtype = Tensors.dtype(x);
    return !x.is_cuda() && (dtype == DType.F32 || dtype == DType.BF16)
        ? torch.mkldnn_convolution(x, weight, optional(bias), paddings, strides, ONE, 1)
        : torch.conv2d(x, weight, optional(bias), strides, paddings, ONE, 1);
  }

  /** x·sigmoid(x) of a map (B, C, H, W). */
  public static Tensor silu(Tensor x) {
    boolean gradients = GradMode.is_enabled() && x.requires_grad();
    return gradients || x.is_cuda() ? torch.silu(x) : siluOver(x.clone());
  }

  /** x·sigmoid(x), written over x. */
  private static Tensor siluOver(Tensor x) {
    boolean gradients = GradMode.is_enabled() && x.requires_grad();
    if (gradients || x.is_cuda()) {
      return torch.silu_(x);
    }
    CpuPieces.silu(x);
    return x;
  }

  /** GELU in its tanh approximation. */
  public static Tensor geluTanh(Tensor x) {
    return torch.gelu(x, "tanh");
  }

  /** Softmax along one axis. */
  public static Tensor softmax(Tensor x, int axis) {
    return torch.softmax(x, axis, SAME_TYPE);
  }

  private static TensorOptional optional(Tensor tensor) {
    return tensor == null ? NONE : new TensorOptional(tensor);
  }
}
