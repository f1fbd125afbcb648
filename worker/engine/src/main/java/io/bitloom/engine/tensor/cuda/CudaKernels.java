package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibtorchKernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The operators on GPUs: libtorch's own, on whole batches, because a launch is what costs. */
public class CudaKernels extends LibtorchKernels {
  private static final ScalarTypeOptional FLOAT =
      Scope.own(new ScalarTypeOptional(DType.F32.torch()));
  private static final ScalarOptional BIASED = Scope.own(new ScalarOptional(new Scalar(0)));
  private static final Scalar ONE = Scope.own(new Scalar(1));
  private static final Scalar MINUS_ONE = Scope.own(new Scalar(-1));
  private static final long[] HEIGHT_AND_WIDTH = {2, 3};

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
          result, shift.view(images, channels, 1, 1), x, scale.view(images, channels, 1, 1), ONE);
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
}
