package io.bitloom.engine.nn;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/**
 * A linear layer x·Wᵀ + b with its parameters. It computes and answers in a type of its own,
 * whatever the type of x.
 */
public final class Linear implements AutoCloseable {
  private final Kernels.Matrix matrix;
  private final Tensor bias; // (out) or null
  private final DType dtype;

  private Linear(Kernels.Matrix matrix, Tensor bias, DType dtype) {
    this.matrix = matrix;
    this.bias = bias == null ? null : Scope.own(new Tensor(bias));
    this.dtype = dtype;
  }

  /**
   * A layer that gradients flow through; it shares the tensors. {@code bias} and {@code change} may
   * be null.
   *
   * @param dtype what it computes in; the weight is rounded to it once after every change
   */
  public static Linear trainable(Tensor weight, Tensor bias, DType dtype, LowRank change) {
    return new Linear(new TrainableMatrix(weight, dtype, change), bias, dtype);
  }

  /** A layer for inference only, which computes in the type of its weight; bias may be null. */
  public static Linear frozen(Tensor weight, Tensor bias) {
    return new Linear(Nn.matrix(weight), bias, Tensors.dtype(weight));
  }

  /** x (…, in) to (…, out). */
  public Tensor apply(Tensor x) {
    return apply(x, bias);
  }

  /** {@link #apply(Tensor)} with another bias (out) than the layer's own, or null. */
  public Tensor apply(Tensor x, Tensor bias) {
    return matrix.times(Tensors.to(x, dtype), rounded(bias));
  }

  /** GELU, in its tanh approximation, of {@link #apply(Tensor)}. */
  public Tensor applyGelu(Tensor x) {
    return matrix.timesGelu(Tensors.to(x, dtype), rounded(bias));
  }

  private Tensor rounded(Tensor bias) {
    return bias == null ? null : Tensors.to(bias, dtype);
  }

  /** A weight that gradients flow through, with its low-rank change, if it has one. */
  private static final class TrainableMatrix implements Kernels.Matrix {
    private final Tensor weight;
    private final DType dtype;
    private final LowRank change; // or null
    private final boolean rounds; // whether the weight is of another type than dtype
    private Tensor rounded; // null until it is needed
    private long roundedVersion; // of the weight that was rounded

    TrainableMatrix(Tensor weight, DType dtype, LowRank change) {
      this.weight = Scope.own(new Tensor(weight));
      this.dtype = dtype;
      this.change = change;
      this.rounds = Tensors.dtype(weight) != dtype;
    }

    /**
     * The weight in the type that is computed in. All parts of a batch, and what is recomputed on
     * the way back, use the same until libtorch has counted a change of the weight; gradients come
     * back through the rounding each on their own, and are added up in the weight's type.
     */
    private Tensor rounded() {
      if (!rounds) {
        return weight;
      }
      long version = weight._version();
      if (rounded == null || roundedVersion != version) {
        forget();
        try (Scope scope = Scope.open();
            AutoGradMode gradients = new AutoGradMode(true)) { // later uses may want them
          rounded = Scope.own(Tensors.to(weight, dtype));
        }
        roundedVersion = version;
      }
      return rounded;
    }

    private void forget() {
      if (rounded != null) {
        rounded.close();
        rounded = null;
      }
    }

    @Override
    public Tensor times(Tensor x, Tensor bias) {
      Tensor out = Nn.linear(x, rounded(), bias);
      return change == null ? out : out.add(change.apply(x, dtype));
    }

    @Override
    public Tensor timesGelu(Tensor x, Tensor bias) {
      return Nn.geluTanh(times(x, bias));
    }

    @Override
    public void close() {
      forget();
      weight.close();
    }
  }

  @Override
  public void close() {
    matrix.close();
    if (bias != null) {
      bias.close();
    }
  }
}
