package io.bitloom.training.optim;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import java.util.List;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's operators on lists of tensors. A model has hundreds of parameters, most of them small:
 * one by one, a GPU waits for launches longer than it computes. The bindings have no methods for
 * these operators, so they are called through the dispatcher, with arguments in the order of their
 * schemas.
 */
final class Foreach {
  static {
    LibTorch.start();
  }

  private static final OperatorHandle NORM = operator("aten::_foreach_norm", "Scalar");
  private static final OperatorHandle ZERO = operator("aten::_foreach_zero_", "");
  private static final OperatorHandle MUL = operator("aten::_foreach_mul_", "Scalar");
  private static final OperatorHandle LERP = operator("aten::_foreach_lerp_", "Scalar");
  private static final OperatorHandle ADAMW = operator("aten::_fused_adamw_", "");

  /** What the lists of all these operators hold. */
  private static final Type.TypePtr TENSOR =
      Scope.own(NORM.schema().arguments().type().get().containedTypes().at(0));

  private Foreach() {}

  /** Euclidean norms of N tensors (N), the squares summed in float64. */
  static Tensor norms(List<Tensor> tensors) {
    try (Scope scope = Scope.open();
        IValueVector stack =
            new IValueVector(
                list(tensors), new IValue(new Scalar(2)), new IValue(DType.F64.torch()))) {
      NORM.callBoxed(stack);
      return scope.keep(torch.stack(stack.get(0).toTensorVector(), 0));
    }
  }

  /** Sets all tensors to zero. */
  static void zero(List<Tensor> tensors) {
    call(ZERO, list(tensors));
  }

  /** Multiplies all tensors by a factor. */
  static void multiply(List<Tensor> tensors, double factor) {
    call(MUL, list(tensors), new IValue(new Scalar(factor)));
  }

  /** Moves all tensors by a fraction of their way towards others. */
  static void lerp(List<Tensor> tensors, List<Tensor> towards, double fraction) {
    call(LERP, list(tensors), list(towards), new IValue(new Scalar(fraction)));
  }

  /**
   * A step of AdamW: every number of parameters, means and squares is read and written once. The
   * kernel does not count as a change of the parameters, so that is done here: by that count, what
   * was computed of a parameter is known to be old.
   *
   * @param steps the number of this step, from 1: a float32 scalar on the parameters' device
   */
  static void adamW(
      List<Tensor> parameters,
      List<Tensor> gradients,
      List<Tensor> means,
      List<Tensor> squares,
      Tensor steps,
      double learningRate,
      AdamW.Settings settings,
      double weightDecay) {
    IValue no = new IValue(false);
    IValue none = new IValue();
    call(
        ADAMW,
        list(parameters),
        list(gradients),
        list(means),
        list(squares),
        list(List.of()), // largest squares, of AMSGrad
        list(parameters.stream().map(parameter -> steps).toList()),
        new IValue(learningRate),
        new IValue(settings.beta1()),
        new IValue(settings.beta2()),
        new IValue(weightDecay),
        new IValue(settings.eps()),
        no, // AMSGrad
        no, // maximise
        none, // scale of the gradients
        none); // whether to skip the step
    parameters.forEach(parameter -> parameter.unsafeGetTensorImpl().bump_version());
  }

  private static void call(OperatorHandle operator, IValue... arguments) {
    try (IValueVector stack = new IValueVector(arguments)) {
      operator.callBoxed(stack);
    }
  }

  private static IValue list(List<Tensor> tensors) {
    GenericList list = new GenericList(TENSOR);
    tensors.forEach(tensor -> list.push_back(new IValue(tensor)));
    return new IValue(list);
  }

  private static OperatorHandle operator(String name, String overload) {
    return Scope.own(Dispatcher.singleton().findSchemaOrThrow(name, overload));
  }
}
