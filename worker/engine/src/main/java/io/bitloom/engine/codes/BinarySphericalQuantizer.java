package io.bitloom.engine.codes;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * BSQ (arXiv 2406.07548): the residual's direction, rounded to the nearest corner (±1, …, ±1)/√d of
 * the hypercube in the unit sphere. The soft assignment makes the bits independent of each other,
 * so both entropies are sums over the bits: O(d) in time and memory, whatever 2^d is.
 */
public final class BinarySphericalQuantizer implements Quantizer {
  private static final double REFERENCE_INVERSE_TEMPERATURE = 100;

  private final int d;
  private final double radius; // √d: of the hypercube (±1, …, ±1)
  private final double inverseTemperature;

  /** A quantizer of d bits whose soft assignment is as sharp as the reference's. */
  public BinarySphericalQuantizer(int d) {
    this(d, REFERENCE_INVERSE_TEMPERATURE);
  }

  /**
   * A quantizer of d bits.
   *
   * @param inverseTemperature how sharp the soft assignment of the entropies is
   */
  public BinarySphericalQuantizer(int d, double inverseTemperature) {
    this.d = d;
    this.radius = Math.sqrt(d);
    this.inverseTemperature = inverseTemperature;
  }

  @Override
  public Tensor digits(Tensor residualBdhw) {
    return Bits.of(residualBdhw);
  }

  @Override
  public Tensor codes(Tensor bitsBhwd) {
    return corners(bitsBhwd, DType.F32).permute(0, 3, 1, 2);
  }

  /** Codes ±1/√d of bits (…, d). */
  private Tensor corners(Tensor bits, DType dtype) {
    return Bits.signed(bits, 1 / radius, dtype);
  }

  @Override
  public Quantized quantize(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor direction = Nn.l2Normalize(Rows.of(residualBdhw), 1); // (N, d)
      Tensor bits = direction.gt(new Scalar(0)); // (N, d)
      Tensor codes = corners(bits, Tensors.dtype(direction)); // (N, d)
      Tensor one = probabilityOfOne(direction); // (N, d)
      return new Quantized(
          scope.keep(Rows.map(Rows.straightThrough(direction, codes), residualBdhw)),
          scope.keep(Rows.digits(Tensors.to(bits, DType.U8), residualBdhw)),
          scope.keep(bitEntropy(one).sum(-1L).mean()),
          scope.keep(bitEntropy(one.mean(0L)).sum()),
          scope.keep(Rows.distance(direction, codes)));
    }
  }

  /** The soft assignment: how probable it is that each bit of each cell is 1, (N, d). */
  public Tensor probabilities(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      return scope.keep(probabilityOfOne(Nn.l2Normalize(Rows.of(residualBdhw), 1)));
    }
  }

  private Tensor probabilityOfOne(Tensor directionNd) {
    return torch.sigmoid(Tensors.times(directionNd, 4 * inverseTemperature / radius)); // (N, d)
  }

  @Override
  public int[] radices() {
    int[] radices = new int[d];
    Arrays.fill(radices, 2);
    return radices;
  }

  /** Entropy of a bit that is one with probability p. */
  static Tensor bitEntropy(Tensor p) {
    return Rows.surprise(p).add(Rows.surprise(Tensors.plus(p.neg(), 1)));
  }
}
