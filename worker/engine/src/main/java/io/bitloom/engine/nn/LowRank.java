package io.bitloom.engine.nn;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * A learned change of a layer's matrix, alpha / r · up · down (LoRA, arXiv 2106.09685). It stands
 * among the weights beside the layer, under the names that LoRA files usually have: {@code
 * NAME.lora_down.weight} (r, in), {@code NAME.lora_up.weight} (out, r) and {@code NAME.alpha}.
 *
 * @param down (r, in)
 * @param up (out, r)
 * @param scale alpha / r
 */
public record LowRank(Tensor down, Tensor up, double scale) {
  /** Ending of the matrix that is applied first. */
  public static final String DOWN = ".lora_down.weight";

  /** Ending of the matrix that is applied last. */
  public static final String UP = ".lora_up.weight";

  /** Ending of the constant. */
  public static final String ALPHA = ".alpha";

  /** Whether a tensor of this name belongs to such a change. */
  public static boolean isPart(String name) {
    return learns(name) || name.endsWith(ALPHA);
  }

  /** Whether a tensor of this name is one of the two matrices. */
  public static boolean learns(String name) {
    return name.endsWith(DOWN) || name.endsWith(UP);
  }

  /**
   * The change of a layer, if the weights have one.
   *
   * @throws WeightsException if it is not whole, or does not fit the layer
   */
  public static Optional<LowRank> find(Weights weights, String layer, long in, long out) {
    if (!weights.has(layer + DOWN)) {
      return Optional.empty();
    }
    long rank = weights.get(layer + DOWN).size(0);
    Tensor down = weights.get(layer + DOWN, rank, in);
    Tensor up = weights.get(layer + UP, out, rank);
    double alpha = Tensors.doubles(weights.get(layer + ALPHA, 1))[0];
    return Optional.of(new LowRank(down, up, alpha / rank));
  }

  /** What the layer's output (…, out) changes by for x (…, in), in a type. */
  Tensor apply(Tensor x, DType dtype) {
    Tensor narrow = Nn.linear(x, Tensors.to(down, dtype), null); // (…, r)
    return Tensors.times(Nn.linear(narrow, Tensors.to(up, dtype), null), scale);
  }

  /** The change of the matrix itself (out, in). */
  public Tensor change() {
    return Tensors.times(up.matmul(down), scale);
  }
}
