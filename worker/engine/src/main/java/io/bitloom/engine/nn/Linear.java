package io.bitloom.engine.nn;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
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
   * @param dtype what it computes in; the weight is rounded to it at every use
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

  /**
   * A weight that gradients flow through, with its change, if it has one.
   *
   * @param dtype what the weight is rounded to at every use
   */
  private record TrainableMatrix(Tensor weight, DType dtype, LowRank change)
      implements Kernels.Matrix {
    TrainableMatrix {
      weight = Scope.own(new Tensor(weight));
    }

    @Override
    public Tensor times(Tensor x, Tensor bias) {
      Tensor out = Nn.linear(x, Tensors.to(weight, dtype), bias);
      return change == null ? out : out.add(change.apply(x, dtype));
    }

    @Override
    public Tensor timesGelu(Tensor x, Tensor bias) {
      return Nn.geluTanh(times(x, bias));
    }

    @Override
    public void close() {
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
