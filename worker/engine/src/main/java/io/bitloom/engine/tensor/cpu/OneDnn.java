package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.BoxedOperator;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;

/**
 * libtorch's linear layer on oneDNN with a weight that was brought into oneDNN's own order
 * beforehand. libtorch offers it to its compiler only, so it is called through the dispatcher.
 */
final class OneDnn {
  static {
    LibTorch.start();
  }

  private static final BoxedOperator LINEAR = BoxedOperator.of("mkldnn::_linear_pointwise");
  private static final BoxedOperator REORDER = BoxedOperator.of("mkldnn::_reorder_linear_weight");
  private static final int ACTIVATION_ARGUMENTS = 4;

  private static final IValue NONE = Scope.own(new IValue());
  private static final IValue NO_ACTIVATION = Scope.own(new IValue("none"));
  private static final IValue GELU = Scope.own(new IValue("gelu"));
  private static final IValue TANH = Scope.own(new IValue("tanh"));
  private static final IValue NO_ARGUMENTS = Scope.own(emptyList());
  private static final boolean BF16 = canReorder(DType.BF16);

  private OneDnn() {}

  /** Whether this CPU computes with bfloat16; on others libtorch does so one number at a time. */
  static boolean bf16() {
    return BF16;
  }

  /** A weight (out, in), float32 or, where {@link #bf16()} says so, bfloat16, in oneDNN's order. */
  static Tensor reorder(Tensor weight) {
    return REORDER.call(new IValue(weight), NONE);
  }

  /** x·weightᵀ + bias for a reordered weight; bias may be null. */
  static Tensor linear(Tensor x, Tensor reordered, Tensor bias) {
    return linear(x, reordered, bias, NO_ACTIVATION, NONE);
  }

  /** GELU in its tanh approximation of {@link #linear}, in one pass over memory. */
  static Tensor linearGelu(Tensor x, Tensor reordered, Tensor bias) {
    return linear(x, reordered, bias, GELU, TANH);
  }

  private static Tensor linear(
      Tensor x, Tensor reordered, Tensor bias, IValue activation, IValue algorithm) {
    return LINEAR.call(
        new IValue(x),
        new IValue(reordered),
        bias == null ? NONE : new IValue(bias),
        activation,
        NO_ARGUMENTS,
        algorithm);
  }

  /** An empty list of the element type that the operator's schema wants. */
  private static IValue emptyList() {
    return new IValue(
        new GenericList(
            LINEAR
                .handle()
                .schema()
                .arguments()
                .getPointer(org.bytedeco.pytorch.Argument.class, ACTIVATION_ARGUMENTS)
                .type()
                .get()
                .containedTypes()
                .at(0)));
  }

  private static boolean canReorder(DType dtype) {
    try (Scope scope = Scope.open()) {
      reorder(Tensors.zeros(dtype, TorchDevice.CPU, 16, 16));
      return true;
    } catch (RuntimeException e) {
      return false; // oneDNN refuses a type that the CPU has no instructions for
    }
  }
}
