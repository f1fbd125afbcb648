package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * VQ (arXiv 1711.00937): the nearest entry of a codebook whose entries follow the moving average of
 * the residuals that chose them. An entry that nothing chooses any more restarts at a residual of
 * the batch, and no two at the same one: where few cells are seen in a step, as in small scales, a
 * codebook fills up step by step with residuals that differ. Residuals far from their entry are
 * drawn more often, with probability proportional to the squared distance (as k-means++ seeds its
 * clusters).
 */
public final class VectorQuantizer implements Quantizer {
  private static final double SMOOTHING = 1e-5;

  /**
   * Bounds of a squared distance that residuals are drawn by: all can be, and the sum is finite.
   */
  private static final double NEAREST = 1e-12;

  private static final double FARTHEST = 1e30;

  /** An entry with less than this share of an even use of the codebook restarts. */
  private static final double LEAST_USE = 0.02;

  private final int size;
  private final double decay;
  private final long seed;
  private final Tensor codebook; // (K, d)
  private final Tensor count; // (K), moving average of how often each entry is chosen
  private final Tensor sum; // (K, d), moving average of the sum of the residuals that chose it
  private final Tensor updates; // (1), how often the averages have moved; restarts follow from it

  /**
   * A codebook of random entries, none of which counts as used: they give way to the first
   * residuals that it learns from.
   *
   * @param d channels
   * @param size entries K
   * @param decay of the moving averages
   */
  public VectorQuantizer(int d, int size, double decay, long seed) {
    this.size = size;
    this.decay = decay;
    this.seed = seed;
    try (Scope scope = Scope.open()) {
      GeneratorOptional random = new GeneratorOptional(torch.make_generator_cpu(seed));
      Tensor start = torch.randn(new long[] {size, d}, random);
      codebook = Scope.own(Tensors.times(start, 1 / Math.sqrt(d)));
      count = Scope.own(Tensors.zeros(DType.F32, TorchDevice.CPU, size));
      sum = Scope.own(Tensors.zeros(DType.F32, TorchDevice.CPU, size, d));
      updates = Scope.own(Tensors.zeros(DType.I64, TorchDevice.CPU, 1));
    }
  }

  @Override
  public Tensor digits(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor nearest = nearest(Rows.of(residualBdhw)); // (N)
      return scope.keep(Rows.digits(nearest.unsqueeze(1), residualBdhw));
    }
  }

  @Override
  public Quantized quantize(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor z = Rows.of(residualBdhw); // (N, d)
      Tensor nearest = nearest(z); // (N)
      Tensor codes = Tensors.rows(entries(z), nearest); // (N, d)
      return new Quantized(
          scope.keep(Rows.map(Rows.straightThrough(z, codes), residualBdhw)),
          scope.keep(Rows.digits(nearest.unsqueeze(1), residualBdhw)),
          scope.keep(Rows.zero(z)),
          scope.keep(Rows.zero(z)),
          scope.keep(Rows.distance(z, codes)));
    }
  }

  private Tensor nearest(Tensor z) {
    Tensor entries = entries(z);
    Tensor distance =
        entries.square().sum(1L).unsqueeze(0).sub(Tensors.times(z.detach().matmul(entries.t()), 2));
    return distance.argmin(new LongOptional(1), false); // (N)
  }

  /** The codebook in the type and on the device of residuals. */
  private Tensor entries(Tensor z) {
    return Tensors.to(codebook, TorchDevice.of(z), Tensors.dtype(z));
  }

  /**
   * Moves the averages, which lie on the CPU wherever the residuals are. Residuals that are not
   * finite, as those of a step that training will skip, leave them alone.
   */
  @Override
  public void learn(Tensor residualsNd) {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      Tensor z = Tensors.to(residualsNd, TorchDevice.CPU, DType.F32); // (N, d)
      if (!Tensors.isFinite(z)) {
        return;
      }
      Tensor chosen = nearest(z); // (N)
      Tensor ones = z.narrow(1, 0, 1).squeeze(1).mul(new Scalar(0)).add(new Scalar(1)); // (N)
      Tensor chosenBy = count.mul(new Scalar(0)).index_add(0, chosen, ones); // (K)
      Tensor sums = sum.mul(new Scalar(0)).index_add(0, chosen, z); // (K, d)
      count.mul_(new Scalar(decay)).add_(Tensors.times(chosenBy, 1 - decay));
      sum.mul_(new Scalar(decay)).add_(Tensors.times(sums, 1 - decay));
      restartUnused(z, z.sub(codebook.index_select(0, chosen)).square().sum(1L));
      updates.add_(new Scalar(1));
      Tensor total = count.sum();
      Tensor smoothed =
          Tensors.plus(count, SMOOTHING).div(Tensors.plus(total, size * SMOOTHING)).mul(total);
      codebook.copy_(sum.div(smoothed.unsqueeze(1)));
    }
  }

  private void restartUnused(Tensor z, Tensor squaredDistances) {
    long most = Math.min(z.size(0), size); // M
    Tensor total = count.sum();
    Tensor usual = total.div(new Scalar((double) size));
    Tensor least = count.argsort().narrow(0, 0, most); // (M), entries by how little they are used
    Tensor uses = count.index_select(0, least); // (M)
    Tensor unused = uses.lt(Tensors.times(usual, LEAST_USE)); // (M)
    long own = new SplittableRandom(31 * seed + Tensors.longs(updates)[0]).nextLong() >>> 1;
    Tensor picked =
        torch.multinomial(
            Tensors.clamp(squaredDistances, NEAREST, FARTHEST),
            most,
            false,
            new GeneratorOptional(torch.make_generator_cpu(own))); // (M)
    Tensor residuals = z.index_select(0, picked); // (M, d)
    Tensor sums = sum.index_select(0, least); // (M, d)
    sum.index_copy_(0, least, torch.where(unused.unsqueeze(1), residuals.mul(usual), sums));
    count.index_copy_(0, least, torch.where(unused, usual.expand(uses.sizes()), uses));
  }

  @Override
  public Tensor codes(Tensor digitsBhwn) {
    long[] shape = digitsBhwn.shape();
    try (Scope scope = Scope.open()) {
      Tensor entries = Tensors.to(codebook, TorchDevice.of(digitsBhwn)); // (K, d)
      Tensor rows = Tensors.rows(entries, digitsBhwn.reshape(-1)); // (N, d)
      return scope.keep(
          rows.reshape(shape[0], shape[1], shape[2], rows.size(1)).permute(0, 3, 1, 2));
    }
  }

  @Override
  public int[] radices() {
    return new int[] {size};
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("codebook", codebook);
    state.put("count", count);
    state.put("sum", sum);
    state.put("updates", updates);
    return state;
  }

  @Override
  public void close() {
    codebook.close();
    count.close();
    sum.close();
    updates.close();
  }
}
