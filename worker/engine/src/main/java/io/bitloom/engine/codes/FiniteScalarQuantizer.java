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
  private final Constant reach; // each (d)
  private final Constant offset;
  private final Constant shift;
  private final Constant half;

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
    double[] reaches = new double[levels.size()];
    double[] offsets = new double[levels.size()];
    double[] shifts = new double[levels.size()];
    for (int i = 0; i < reaches.length; i++) {
      reaches[i] = (levels.get(i) - 1) * (1 + MARGIN) / 2;
      offsets[i] = levels.get(i) % 2 == 0 ? 0.5 : 0;
      double ratio = offsets[i] / reaches[i];
      shifts[i] = 0.5 * Math.log((1 + ratio) / (1 - ratio)); // artanh
    }
    reach = Constant.of(reaches);
    offset = Constant.of(offsets);
    shift = Constant.of(shifts);
    half = Constant.of(levels.stream().mapToDouble(level -> level / 2).toArray());
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
    return Rows.digits(Tensors.to(roundedNd.add(half.like(roundedNd)), DType.I64), likeBdhw);
  }

  @Override
  public Quantized quantize(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor z = Rows.of(residualBdhw); // (N, d)
      Tensor bounded = bounded(z);
      Tensor rounded = torch.round(bounded); // (N, d)
      Tensor halfD = half.like(z); // (d)
      return new Quantized(
          scope.keep(Rows.map(Rows.straightThrough(bounded, rounded).div(halfD), residualBdhw)),
          scope.keep(digits(rounded, residualBdhw)),
          scope.keep(Rows.zero(z)),
          scope.keep(Rows.zero(z)),
          scope.keep(Rows.distance(bounded.div(halfD), rounded.div(halfD))));
    }
  }

  /** (L − 1)/2·(1 + margin)·tanh(z + shift) − offset; the paper's appendix A.1. */
  private Tensor bounded(Tensor z) {
    return z.add(shift.like(z)).tanh().mul(reach.like(z)).sub(offset.like(z));
  }

  @Override
  public Tensor codes(Tensor digitsBhwn) {
    Tensor digits = Tensors.to(digitsBhwn, DType.F32);
    Tensor halfD = half.like(digits); // (d)
    return digits.sub(halfD).div(halfD).permute(0, 3, 1, 2);
  }

  @Override
  public int[] radices() {
    return levels.stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public void close() {
    List.of(reach, offset, shift, half).forEach(Constant::close);
  }
}
