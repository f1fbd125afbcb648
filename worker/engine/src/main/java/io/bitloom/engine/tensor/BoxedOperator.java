package io.bitloom.engine.tensor;

import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;

/**
 * An operator of libtorch that has no Java method, called through the dispatcher.
 *
 * @param handle libtorch's own
 */
public record BoxedOperator(OperatorHandle handle) {
  static {
    LibTorch.start();
  }

  /** The operator of a name with its namespace, of which there is one form only. */
  public static BoxedOperator of(String name) {
    return new BoxedOperator(Scope.own(Dispatcher.singleton().findSchemaOrThrow(name, "")));
  }

  /** Calls it with all arguments of its schema; it has one result, a tensor. */
  public Tensor call(IValue... arguments) {
    try (IValueVector stack = new IValueVector(arguments)) {
      handle.callBoxed(stack);
      return new Tensor(stack.get(0).toTensor());
    }
  }
}
