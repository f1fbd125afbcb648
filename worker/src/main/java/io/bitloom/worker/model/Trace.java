package io.bitloom.worker.model;

import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Shows tensors from inside the model by name, to compare them with a reference. What it shows
 * belongs to the model and is gone afterwards.
 */
public final class Trace {
  /** Shows nothing. */
  public static final Trace NONE = new Trace("", null);

  private final String prefix;
  private final BiConsumer<String, Tensor> sink;

  private Trace(String prefix, BiConsumer<String, Tensor> sink) {
    this.prefix = prefix;
    this.sink = sink;
  }

  /** Shows every tensor to {@code sink}. */
  public static Trace to(BiConsumer<String, Tensor> sink) {
    return new Trace("", sink);
  }

  /** Whether anything is shown. */
  boolean isOn() {
    return sink != null;
  }

  /** The same, with {@code part} and an index before the names. */
  Trace at(String part, int index) {
    return sink == null ? this : new Trace(prefix + part + index + "/", sink);
  }

  void record(String name, Tensor tensor) {
    if (sink != null) {
      sink.accept(prefix + name, tensor);
    }
  }
}
