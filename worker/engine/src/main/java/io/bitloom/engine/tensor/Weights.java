package io.bitloom.engine.tensor;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors by their literal checkpoint name, in file order. A model looks its parameters up with the
 * shape that it needs and fails with the tensor's name otherwise; what nobody asked for can be
 * listed.
 *
 * <p>The tensors belong to this object and live until it is closed. {@link #at(String)} gives a
 * view under a prefix; closing a view closes the whole.
 */
public final class Weights implements AutoCloseable {
  private final String source;
  private final Map<String, Tensor> tensors;
  private final Set<String> used;
  private final String prefix;

  /** An empty set of weights; {@code source} names the file in messages. */
  public Weights(String source) {
    this(source, new LinkedHashMap<>(), new HashSet<>(), "");
  }

  private Weights(String source, Map<String, Tensor> tensors, Set<String> used, String prefix) {
    this.source = source;
    this.tensors = tensors;
    this.used = used;
    this.prefix = prefix;
  }

  /**
   * Adds a tensor and takes it out of the open scope.
   *
   * @throws WeightsException if the name is taken
   */
  public void put(String name, Tensor tensor) {
    if (tensors.containsKey(prefix + name)) {
      throw new WeightsException(source, prefix + name, "occurs twice");
    }
    tensors.put(prefix + name, Scope.own(tensor));
  }

  /** Adds every tensor of other weights; both own the tensors from then on, nothing is copied. */
  public void share(Weights other) {
    other.names().forEach(name -> put(name, new Tensor(other.get(name))));
  }

  /** Where the weights come from, for messages. */
  public String source() {
    return source;
  }

  /** The weights whose names begin with {@code prefix}, seen without it. */
  public Weights at(String prefix) {
    return new Weights(source, tensors, used, this.prefix + prefix);
  }

  /** Whether a tensor of this name exists; does not count as use. */
  public boolean has(String name) {
    return tensors.containsKey(prefix + name);
  }

  /** The names under this view's prefix, without it, in file order. */
  public Set<String> names() {
    Set<String> names = new LinkedHashSet<>();
    for (String name : tensors.keySet()) {
      if (name.startsWith(prefix)) {
        names.add(name.substring(prefix.length()));
      }
    }
    return Collections.unmodifiableSet(names);
  }

  /**
   * The tensor of this name, of whatever shape.
   *
   * @throws WeightsException if it is missing
   */
  public Tensor get(String name) {
    return find(name).orElseThrow(() -> new WeightsException(source, prefix + name, "is missing"));
  }

  /**
   * The tensor of this name, which must have exactly this shape.
   *
   * @throws WeightsException if it is missing or of another shape
   */
  public Tensor get(String name, long... shape) {
    Tensor tensor =
        find(name)
            .orElseThrow(
                () ->
                    new WeightsException(
                        source,
                        prefix + name,
                        "is missing, expected shape " + Arrays.toString(shape)));
    long[] found = tensor.shape();
    if (!Arrays.equals(found, shape)) {
      throw new WeightsException(
          source,
          prefix + name,
          "expected shape " + Arrays.toString(shape) + ", found " + Arrays.toString(found));
    }
    return tensor;
  }

  /**
   * {@link #get(String, long...)} and hands the tensor over: it leaves these weights, and the
   * caller closes it.
   *
   * @throws WeightsException if it is missing or of another shape
   */
  public Tensor take(String name, long... shape) {
    Tensor tensor = get(name, shape);
    tensors.remove(prefix + name);
    return tensor;
  }

  /** The tensor of this name if there is one. */
  public Optional<Tensor> find(String name) {
    Tensor tensor = tensors.get(prefix + name);
    if (tensor != null) {
      used.add(prefix + name);
    }
    return Optional.ofNullable(tensor);
  }

  /** Names under this view's prefix, without it, that nobody has looked up. */
  public Set<String> unused() {
    Set<String> unused = new LinkedHashSet<>(names());
    unused.removeIf(name -> used.contains(prefix + name));
    return unused;
  }

  /** Total size of the tensors under this view's prefix, in bytes. */
  public long bytes() {
    return names().stream().mapToLong(name -> tensors.get(prefix + name).nbytes()).sum();
  }

  /** The same tensors under other names; both sets are closed on their own. */
  public Weights renamed(UnaryOperator<String> rename) {
    Weights renamed = new Weights(source);
    for (String name : names()) {
      renamed.put(rename.apply(name), new Tensor(tensors.get(prefix + name)));
    }
    return renamed;
  }

  /**
   * The same weights on another device, floating-point tensors as {@code dtype}; integer tensors
   * keep their type. Tensors that already fit are shared, not copied. Both sets are closed on their
   * own.
   */
  public Weights to(TorchDevice device, DType dtype) {
    Weights moved = new Weights(source);
    for (String name : names()) {
      try (Scope scope = Scope.open()) {
        moved.put(name, Tensors.to(tensors.get(prefix + name), device, dtype));
      }
    }
    return moved;
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
    tensors.clear();
  }
}
