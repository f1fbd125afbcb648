package io.bitloom.worker.tokenizer.quantizer;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Nn;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * BSQ: the feature's direction, rounded to the nearest corner (±1, …, ±1)/√d of the hypercube in
 * the unit sphere. The soft assignment makes the bits independent of each other, so both entropies
 * are sums over the bits: O(d) in time and memory, whatever 2^d is.
 */
public final class BinarySphericalQuantizer implements Quantizer {
  private final int d;
  private final double inverseTemperature;

  /**
   * A quantizer of d bits.
   *
   * @param inverseTemperature how sharp the soft assignment of the entropies is; the reference has
   *     100
   */
  public BinarySphericalQuantizer(int d, double inverseTemperature) {
    this.d = d;
    this.inverseTemperature = inverseTemperature;
  }

  @Override
  public Quantized quantize(Tensor featuresBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor direction = Nn.l2Normalize(Tokens.rows(featuresBdhw), 1); // (N, d)
      Tensor bits = direction.gt(new Scalar(0)); // (N, d)
      Tensor codes = corner(bits, direction); // (N, d)
      Tensor one =
          torch.sigmoid(Tensors.times(direction, 4 * inverseTemperature / Math.sqrt(d))); // (N, d)
      return new Quantized(
          scope.keep(Tokens.map(Tokens.straightThrough(direction, codes), featuresBdhw)),
          scope.keep(Tokens.digits(Tensors.to(bits, DType.I64), featuresBdhw)),
          scope.keep(bitEntropy(one).sum(-1L).mean()),
          scope.keep(bitEntropy(one.mean(0L)).sum()),
          scope.keep(Tokens.distance(direction, codes)));
    }
  }

  @Override
  public Tensor codes(Tensor digitsBhwn) {
    double unit = 1 / Math.sqrt(d);
    return Tensors.plus(Tensors.times(Tensors.to(digitsBhwn, DType.F32), 2 * unit), -unit)
        .permute(0, 3, 1, 2);
  }

  @Override
  public int[] radices() {
    int[] radices = new int[d];
    Arrays.fill(radices, 2);
    return radices;
  }

  private Tensor corner(Tensor bits, Tensor like) {
    double unit = 1 / Math.sqrt(d);
    return Tensors.plus(Tensors.times(bits.to(like.scalar_type()), 2 * unit), -unit);
  }

  /** Entropy of a bit that is one with probability p. */
  static Tensor bitEntropy(Tensor p) {
    return Tokens.surprise(p).add(Tokens.surprise(Tensors.plus(p.neg(), 1)));
  }
}
