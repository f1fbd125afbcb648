package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.DType;
import java.util.List;
import java.util.Map;

/**
 * What a PyTorch pickle can hold, as plain values. Text, numbers, booleans, {@code null}, {@link
 * java.util.Map} and {@link java.util.List} stand for themselves.
 */
final class Pickled {
  private Pickled() {}

  /** A name out of the allow-list: a reference, never the thing itself. */
  record Global(String module, String name) {
    @Override
    public String toString() {
      return module + "." + name;
    }
  }

  /**
   * A value that nobody here needs: an object of some class, or the outcome of calling a function,
   * which nothing has called. Whatever is done to it leaves it as it is.
   *
   * @param what it is, or what was called, for messages
   * @param called whether it is the outcome of a call
   */
  record Opaque(String what, boolean called) {
    Opaque(String what) {
      this(what, false);
    }
  }

  /**
   * A tensor that cannot be read, which matters only to those who want it.
   *
   * @param reason such as {@code is sparse}
   */
  record Unreadable(String reason) {}

  /** A tuple; kept apart from lists because only lists and dictionaries change after creation. */
  record Tuple(List<Object> items) {}

  /**
   * The elements of one or more tensors.
   *
   * @param key name of the archive's entry under {@code data/}
   * @param elements number of elements that the entry must have
   */
  record Storage(DType dtype, String key, long elements) {}

  /** A strided view of a storage, as {@code torch._utils._rebuild_tensor_v2} is called for it. */
  record TensorView(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

  /** What kind of value it is, for messages; never the value, which may be huge or hold itself. */
  static String kind(Object value) {
    if (value == null) {
      return "None";
    }
    if (value instanceof Map) {
      return "a dictionary";
    }
    if (value instanceof List) {
      return "a list";
    }
    if (value instanceof Tuple) {
      return "a tuple";
    }
    if (value instanceof TensorView) {
      return "a tensor";
    }
    if (value instanceof Storage) {
      return "a storage";
    }
    if (value instanceof Global global) {
      return global.toString();
    }
    if (value instanceof Opaque opaque) {
      return opaque.called() ? "an object of " + opaque.what() : opaque.what();
    }
    if (value instanceof Unreadable) {
      return "a tensor that cannot be read";
    }
    return "a " + value.getClass().getSimpleName();
  }
}
