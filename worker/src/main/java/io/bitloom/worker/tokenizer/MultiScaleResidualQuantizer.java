package io.bitloom.worker.tokenizer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Resize;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The multi-scale residual quantizer with binary spherical codes: every scale stores the signs of
 * what the scales before it have not yet explained (section 3.2 of the paper). There is no codebook
 * to look up: a feature of d bits is the corner (±1, …, ±1)/√d of the unit sphere's hypercube.
 *
 * <p>Bits are unsigned bytes 0 and 1 of shape (B, h, w, d); sums and features are (B, d, H, W) in
 * float32, whatever the networks around compute in.
 */
public final class MultiScaleResidualQuantizer {
  private final int d;
  private final double unit;

  /** A quantizer of d bits per feature. */
  public MultiScaleResidualQuantizer(int d) {
    this.d = d;
    this.unit = 1 / Math.sqrt(d);
  }

  /**
   * Features as bits.
   *
   * @param bits per scale, (B, h, w, d)
   * @param sum of all upsampled codes, (B, d, H, W): what the decoder reads
   * @param runningInputs per scale but the first, the sum so far resized by area to that scale, (B,
   *     d, h, w); the tokenizer's own view, not what the transformer sees
   */
  public record Encoding(List<Tensor> bits, Tensor sum, List<Tensor> runningInputs) {}

  /**
   * Algorithm 1 of the paper: quantizes features F (B, d, H, W) scale by scale; the last scale has
   * their size.
   */
  public Encoding encode(Tensor featuresBdHW, List<Scale> scales) {
    Scale full = scales.get(scales.size() - 1);
    List<Tensor> bits = new ArrayList<>();
    List<Tensor> runningInputs = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      Tensor residual = Tensors.to(featuresBdHW, DType.F32); // F − F_0 (B, d, H, W)
      Tensor sum = residual.mul(new Scalar(0)); // F_0 (B, d, H, W)
      for (int k = 0; k < scales.size(); k++) {
        Scale scale = scales.get(k);
        Tensor bitsBhwd = bits(down(residual, scale)); // R_k (B, h, w, d)
        Tensor quantized = up(codes(bitsBhwd), full); // (B, d, H, W)
        residual = residual.sub(quantized); // F − F_k (B, d, H, W)
        sum = sum.add(quantized); // F_k (B, d, H, W)
        bits.add(scope.keep(bitsBhwd));
        if (k + 1 < scales.size()) {
          runningInputs.add(scope.keep(down(sum, scales.get(k + 1)))); // F̃_k (B, d, h', w')
        }
      }
      return new Encoding(bits, scope.keep(sum), runningInputs);
    }
  }

  /** The sum of the upsampled codes of all scales, (B, d, H, W) of the last one. */
  public Tensor sum(List<Tensor> bits) {
    Tensor last = bits.get(bits.size() - 1);
    Scale full = new Scale((int) last.size(1), (int) last.size(2));
    try (Scope scope = Scope.open()) {
      Tensor sum = null;
      for (Tensor bitsBhwd : bits) {
        Tensor quantized = up(codes(bitsBhwd), full); // (B, d, H, W)
        sum = sum == null ? quantized : sum.add(quantized);
      }
      return scope.keep(sum);
    }
  }

  /**
   * Features (B, d, h, w) as bits (B, h, w, d): 1 where positive. Normalising to the sphere first,
   * as the definition does, changes no sign.
   */
  public Tensor bits(Tensor featuresBdhw) {
    return Tensors.to(featuresBdhw.gt(new Scalar(0)).permute(0, 2, 3, 1), DType.U8);
  }

  /** Bits (B, h, w, d) as codes (B, d, h, w) with values ±1/√d. */
  public Tensor codes(Tensor bitsBhwd) {
    return Tensors.to(bitsBhwd, DType.F32)
        .mul(new Scalar(2 * unit))
        .sub(new Scalar(unit))
        .permute(0, 3, 1, 2); // (B, d, h, w)
  }

  /** Bits (…, d) as one integer each, the first bit the most significant; (…). */
  public Tensor labels(Tensor bits) {
    return Tensors.to(bits, DType.I64).mul(place()).sum(-1L);
  }

  /** Integers (…) as bits (…, d), the inverse of {@link #labels}. */
  public Tensor bitsOfLabels(Tensor labels) {
    return Tensors.to(
        labels.unsqueeze(-1).bitwise_and(place()).ne(new Scalar(0)), DType.U8); // (…, d)
  }

  /** 2^(d−1), …, 2, 1. */
  private Tensor place() {
    long[] values = new long[d];
    for (int bit = 0; bit < d; bit++) {
      values[bit] = 1L << (d - 1 - bit);
    }
    return Tensors.of(values, d);
  }

  private static Tensor down(Tensor xBdHW, Scale to) {
    return hasSize(xBdHW, to) ? xBdHW : Resize.area(xBdHW, to.height(), to.width());
  }

  private static Tensor up(Tensor xBdhw, Scale to) {
    return hasSize(xBdhw, to) ? xBdhw : Resize.trilinear(xBdhw, to.height(), to.width());
  }

  private static boolean hasSize(Tensor x, Scale scale) {
    return x.size(2) == scale.height() && x.size(3) == scale.width();
  }
}
