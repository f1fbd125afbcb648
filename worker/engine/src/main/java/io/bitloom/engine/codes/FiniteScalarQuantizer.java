package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * FSQ (arXiv 2309.15505): every channel is bounded by a tanh and rounded to one of its levels.
 * Nothing has to be kept in use by a penalty. Codes are the levels scaled to [-1, 1].
 */
public final class FiniteScalarQuantizer implements Quantizer {
  private static final double MARGIN = 1e-3;

  private final List<Integer> levels;

  /**
   * A quantizer with one channel per entry.
   *
   * @throws IllegalArgumentException if a channel has fewer than two levels
   */
  public FiniteScalarQuantizer(List<Integer> levels) {
    if (levels.isEmpty() || levels.stream().anyMatch(level -> level < 2)) {
      throw new IllegalArgumentException(
          "quantizer: levels: expected at least 2 for every channel, got " + levels);
    }
    this.levels = List.copyOf(levels);
  }

  @Override
  public Tensor digits(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor rounded = torch.round(bounded(Rows.of(residualBdhw))); // (N, d)
      return scope.keep(digits(rounded, residualBdhw));
    }
  }

  /** Rounded values, −⌊L/2⌋ to ⌈L/2⌉ − 1, as digits from 0, of the shape of a map. */
  private Tensor digits(Tensor roundedNd, Tensor likeBdhw) {
    return Rows.digits(Tensors.to(roundedNd.add(half(roundedNd)), DType.I64), likeBdhw);
  }

  @Override
  public Quantized quantize(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor z = Rows.of(residualBdhw); // (N, d)
      Tensor bounded = bounded(z);
      Tensor rounded = torch.round(bounded); // (N, d)
      Tensor half = half(z);
      return new Quantized(
          scope.keep(Rows.map(Rows.straightThrough(bounded, rounded).div(half), residualBdhw)),
          scope.keep(digits(rounded, residualBdhw)),
          scope.keep(Rows.zero(z)),
          scope.keep(Rows.zero(z)),
          scope.keep(Rows.distance(bounded.div(half), rounded.div(half))));
    }
  }

  /** (L − 1)/2·(1 + margin)·tanh(z + shift) − offset; the paper's appendix A.1. */
  private Tensor bounded(Tensor z) {
    double[] reach = new double[levels.size()];
    double[] offset = new double[levels.size()];
    double[] shift = new double[levels.size()];
    for (int i = 0; i < reach.length; i++) {
      reach[i] = (levels.get(i) - 1) * (1 + MARGIN) / 2;
      offset[i] = levels.get(i) % 2 == 0 ? 0.5 : 0;
      double ratio = offset[i] / reach[i];
      shift[i] = 0.5 * Math.log((1 + ratio) / (1 - ratio)); // artanh
    }
    return z.add(like(z, shift)).tanh().mul(like(z, reach)).sub(like(z, offset));
  }

  @Override
  public Tensor codes(Tensor digitsBhwn) {
    Tensor digits = Tensors.to(digitsBhwn, DType.F32);
    Tensor half = half(digits);
    return digits.sub(half).div(half).permute(0, 3, 1, 2);
  }

  @Override
  public int[] radices() {
    return levels.stream().mapToInt(Integer::intValue).toArray();
  }

  private Tensor half(Tensor like) {
    return like(like, levels.stream().mapToDouble(level -> level / 2).toArray());
  }

  private static Tensor like(Tensor like, double[] values) {
    return Tensors.of(values, values.length).to(like.device(), like.scalar_type());
  }
}
