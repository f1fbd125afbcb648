package io.bitloom.engine.model;

import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;

/**
 * Shows tensors from inside the model by name, to compare them with a reference. What it shows
 * belongs to the model and is gone afterwards.
 */
public final class Trace {
  /** Shows nothing. */
  public static final Trace NONE = new Trace("", any -> false, null);

  private final String prefix;
  private final Predicate<String> wanted;
  private final BiConsumer<String, Tensor> sink;

  private Trace(String prefix, Predicate<String> wanted, BiConsumer<String, Tensor> sink) {
    this.prefix = prefix;
    this.wanted = wanted;
    this.sink = sink;
  }

  /** Shows every tensor to {@code sink}. */
  public static Trace to(BiConsumer<String, Tensor> sink) {
    return new Trace("", any -> true, sink);
  }

  /** Shows tensors to {@code sink} and spares the parts of the model that none of these is in. */
  public static Trace to(Set<String> names, BiConsumer<String, Tensor> sink) {
    return new Trace("", prefix -> names.stream().anyMatch(name -> name.startsWith(prefix)), sink);
  }

  /** Whether anything is shown. */
  boolean isOn() {
    return sink != null;
  }

  /** The same, with {@code part} and an index before the names. */
  Trace at(String part, int index) {
    String inner = prefix + part + index + "/";
    return wanted.test(inner) ? new Trace(inner, wanted, sink) : NONE;
  }

  void record(String name, Tensor tensor) {
    if (sink != null) {
      sink.accept(prefix + name, tensor);
    }
  }
}
