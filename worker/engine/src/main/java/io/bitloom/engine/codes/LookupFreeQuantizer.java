package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * LFQ (arXiv 2310.05737): the signs of the residual's channels. Its entropies are exact, over all
 * 2^d codes: the soft assignment of every cell is a row of 2^d probabilities, so their memory
 * doubles with every bit.
 */
public final class LookupFreeQuantizer implements Quantizer {
  /** 2^18 probabilities a token are 1 MiB. */
  static final int MOST_BITS = 18;

  private static final double UNIT = 1;

  private final int d;
  private final double inverseTemperature;
  private final Constant codebook; // (2^d, d)

  /**
   * A quantizer of d bits.
   *
   * @param inverseTemperature β of the soft assignment softmax(−β‖z − c‖²) over the codes c
   * @throws IllegalArgumentException if 2^d codes are too many to enumerate
   */
  public LookupFreeQuantizer(int d, double inverseTemperature) {
    if (d > MOST_BITS) {
      throw new IllegalArgumentException(
          "quantizer: d: LFQ enumerates 2^d codes, expected at most " + MOST_BITS + ", got " + d);
    }
    this.d = d;
    this.inverseTemperature = inverseTemperature;
    codebook = new Constant(this::allCodes);
  }

  @Override
  public Tensor digits(Tensor residualBdhw) {
    return Bits.of(residualBdhw);
  }

  @Override
  public Tensor codes(Tensor bitsBhwd) {
    return Bits.signed(bitsBhwd, UNIT, DType.F32).permute(0, 3, 1, 2);
  }

  @Override
  public Quantized quantize(Tensor residualBdhw) {
    try (Scope scope = Scope.open()) {
      Tensor z = Rows.of(residualBdhw); // (N, d)
      Tensor bits = z.gt(new Scalar(0)); // (N, d)
      Tensor codes = Bits.signed(bits, UNIT, Tensors.dtype(z)); // (N, d)
      // ‖z − c‖² = ‖z‖² + d − 2z·c, and what is the same for all codes does not count.
      Tensor affinity = Tensors.times(z.matmul(codebook.like(z).t()), 2 * inverseTemperature);
      Tensor logarithm = torch.log_softmax(affinity, 1, new ScalarTypeOptional()); // (N, 2^d)
      Tensor probability = logarithm.exp(); // (N, 2^d)
      return new Quantized(
          scope.keep(Rows.map(Rows.straightThrough(z, codes), residualBdhw)),
          scope.keep(Rows.digits(Tensors.to(bits, DType.U8), residualBdhw)),
          scope.keep(probability.mul(logarithm).sum(-1L).mean().neg()),
          scope.keep(Rows.surprise(probability.mean(0L)).sum()),
          scope.keep(Rows.distance(z, codes)));
    }
  }

  @Override
  public int[] radices() {
    int[] radices = new int[d];
    Arrays.fill(radices, 2);
    return radices;
  }

  private Tensor allCodes() {
    float[] values = new float[d << d];
    for (int code = 0; code < 1 << d; code++) {
      for (int bit = 0; bit < d; bit++) {
        values[code * d + bit] = (code >> (d - 1 - bit) & 1) * 2 - 1;
      }
    }
    return Tensors.of(values, TorchDevice.CPU, 1L << d, d);
  }

  @Override
  public void close() {
    codebook.close();
  }
}
