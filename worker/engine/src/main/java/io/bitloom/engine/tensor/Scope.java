package io.bitloom.engine.tensor;

import java.util.List;
import java.util.function.BiFunction;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Frees every native object that the current thread made since the scope was opened, except those
 * handed on.
 *
 * <pre>{@code
 * Tensor forward(Tensor x) {
 *   try (Scope scope = Scope.open()) {
 *     Tensor hidden = silu(linear(x, weight, bias)); // freed at the end
 *     return scope.keep(linear(hidden, weight2, bias2)); // belongs to the caller's scope
 *   }
 * }
 * }</pre>
 *
 * A scope belongs to the thread that opened it and is closed on that thread, innermost first.
 */
public final class Scope implements AutoCloseable {
  static {
    LibTorch.start();
  }

  private static final ThreadLocal<Runnable> CLOSING = new ThreadLocal<>();

  private final PointerScope surrounding;
  private final PointerScope own;

  private Scope() {
    surrounding = PointerScope.getInnerScope();
    own = new PointerScope();
  }

  /** Opens a scope on the current thread. */
  public static Scope open() {
    return new Scope();
  }

  /**
   * Hands a tensor to the surrounding scope, so that it outlives this one. Without a surrounding
   * scope the caller owns it and closes it.
   *
   * @return the tensor to use from now on
   */
  public Tensor keep(Tensor tensor) {
    Tensor owning = owning(tensor);
    if (surrounding == null) {
      owning.retainReference();
    } else {
      surrounding.attach(owning);
    }
    return owning;
  }

  /**
   * x after all steps, one after the other. What a step makes is freed as soon as the next one has
   * used it.
   *
   * @return the result, which belongs to the scope that is open; x itself without steps
   */
  public static <S> Tensor fold(Tensor x, List<S> steps, BiFunction<Tensor, S, Tensor> step) {
    Tensor current = x;
    for (S next : steps) {
      Tensor result;
      try (Scope scope = open()) {
        result = scope.keep(step.apply(current, next));
      }
      if (current != x) {
        current.close();
      }
      current = result;
    }
    return current;
  }

  /**
   * Takes a native object out of all scopes, for weights, caches and constants: it lives until the
   * caller closes it.
   *
   * @return the same object
   */
  public static <P extends Pointer> P own(P pointer) {
    return pointer.retainReference();
  }

  /** {@link #own(Pointer)} for tensors; returns the tensor to use from now on. */
  public static Tensor own(Tensor tensor) {
    return owning(tensor).retainReference();
  }

  /**
   * The results of in-place operators are references to their first argument and own nothing; a new
   * handle on the same tensor does.
   */
  private static Tensor owning(Tensor tensor) {
    return tensor.referenceCount() < 0 ? new Tensor(tensor) : tensor;
  }

  /**
   * Lets an observer see every scope of this thread right before it frees what it holds, when the
   * thread holds most; null for none.
   */
  static void beforeClosing(Runnable observer) {
    CLOSING.set(observer);
  }

  @Override
  public void close() {
    Runnable observer = CLOSING.get();
    if (observer != null) {
      observer.run();
    }
    own.close();
  }
}
