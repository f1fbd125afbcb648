package io.bitloom.engine.tensor;

import org.bytedeco.pytorch.Tensor;

/**
 * A linear layer x·Wᵀ + b with its parameters. It computes and answers in a type of its own,
 * whatever the type of x.
 *
 * <p>A {@link #frozen} layer on the CPU runs on oneDNN with a reordered copy of the weight. BLAS is
 * up to five times slower on the few rows of the first scales, and a row's last bits depend there
 * on how many other rows share the call; with oneDNN they depend on the row alone, so that an image
 * does not change with the batch it is made in.
 */
public final class Linear implements AutoCloseable {
  private final Tensor weight; // (out, in), or in oneDNN's order
  private final Tensor bias; // (out) or null
  private final DType dtype;
  private final boolean reordered;
  private final LowRank change; // or null

  private Linear(Tensor weight, Tensor bias, DType dtype, boolean reordered) {
    this(weight, bias, dtype, reordered, null);
  }

  private Linear(Tensor weight, Tensor bias, DType dtype, boolean reordered, LowRank change) {
    this.weight = Scope.own(new Tensor(weight));
    this.bias = bias == null ? null : Scope.own(new Tensor(bias));
    this.dtype = dtype;
    this.reordered = reordered;
    this.change = change;
  }

  /**
   * A layer that gradients flow through; it shares the tensors. {@code bias} and {@code change} may
   * be null.
   *
   * @param dtype what it computes in; the weight is rounded to it at every use
   */
  public static Linear trainable(Tensor weight, Tensor bias, DType dtype, LowRank change) {
    return new Linear(weight, bias, dtype, false, change);
  }

  /**
   * A layer for inference only. {@code bias} may be null.
   *
   * <p>bfloat16 on a CPU without bfloat16 arithmetic: inputs, weight and outputs are rounded to
   * bfloat16 and the products are computed in float32, which is what such arithmetic does.
   */
  public static Linear frozen(Tensor weight, Tensor bias) {
    DType dtype = Tensors.dtype(weight);
    boolean onCpu = !weight.is_cuda();
    if (!onCpu || (dtype != DType.F32 && dtype != DType.BF16)) {
      return new Linear(weight, bias, dtype, false);
    }
    try (Scope scope = Scope.open()) {
      DType kernel = kernelType(dtype);
      Tensor kernelBias = bias == null ? null : Tensors.to(bias, kernel);
      Tensor kernelWeight = OneDnn.reorder(Tensors.to(weight, kernel));
      return new Linear(kernelWeight, kernelBias, dtype, true);
    }
  }

  /** x (…, in) to (…, out). */
  public Tensor apply(Tensor x) {
    return apply(x, bias);
  }

  /** {@link #apply(Tensor)} with another bias (out) than the layer's own, or null. */
  public Tensor apply(Tensor x, Tensor bias) {
    Tensor input = Tensors.to(x, dtype);
    if (reordered) {
      return onOneDnn(OneDnn::linear, input, bias);
    }
    Tensor rounded = bias == null ? null : Tensors.to(bias, dtype);
    Tensor out = Nn.linear(input, Tensors.to(weight, dtype), rounded);
    return change == null ? out : out.add(change.apply(input, dtype));
  }

  /** GELU, in its tanh approximation, of {@link #apply(Tensor)}. */
  public Tensor applyGelu(Tensor x) {
    return reordered
        ? onOneDnn(OneDnn::linearGelu, Tensors.to(x, dtype), bias)
        : Nn.geluTanh(apply(x));
  }

  private interface Operator {
    Tensor apply(Tensor x, Tensor weight, Tensor bias);
  }

  private Tensor onOneDnn(Operator operator, Tensor input, Tensor bias) {
    DType kernel = kernelType(dtype);
    Tensor kernelBias = bias == null ? null : Tensors.to(bias, kernel);
    return Tensors.to(operator.apply(Tensors.to(input, kernel), weight, kernelBias), dtype);
  }

  private static DType kernelType(DType dtype) {
    return dtype == DType.BF16 && !OneDnn.bf16() ? DType.F32 : dtype;
  }

  @Override
  public void close() {
    weight.close();
    if (bias != null) {
      bias.close();
    }
  }
}
