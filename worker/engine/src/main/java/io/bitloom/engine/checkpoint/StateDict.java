package io.bitloom.engine.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Pickled.Storage;
import io.bitloom.engine.checkpoint.Pickled.TensorView;
import io.bitloom.engine.checkpoint.Pickled.Unreadable;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * The tensors of a dictionary in a PyTorch file. Its other values, such as counters and {@code
 * None}, are passed over. Tensors are checked when somebody asks for their shapes or data.
 */
final class StateDict implements Checkpoint {
  /**
   * Tensors can share bytes (tied weights do), but a small file must not claim to be a huge one.
   */
  private static final long MAX_SHARING = 4;

  private final Path file;
  private final String source;
  private final String section;
  private final Map<?, ?> values;
  private final Map<String, StoredZip.Entry> storages;
  private Map<String, TensorView> checked; // null until it was asked for

  StateDict(Path file, String section, Map<?, ?> values, Map<String, StoredZip.Entry> storages) {
    this.file = file;
    this.source = file.toString();
    this.section = section;
    this.values = values;
    this.storages = storages;
  }

  static boolean isTensor(Object value) {
    return value instanceof TensorView || value instanceof Unreadable;
  }

  @Override
  public Path file() {
    return file;
  }

  @Override
  public String section() {
    return section;
  }

  @Override
  public List<Path> files() {
    return List.of(file);
  }

  @Override
  public List<String> names() {
    List<String> names = new ArrayList<>();
    values.forEach(
        (name, value) -> {
          if (name instanceof String text && isTensor(value)) {
            names.add(text);
          }
        });
    return names;
  }

  @Override
  public List<CheckpointEntry> entries() {
    List<CheckpointEntry> entries = new ArrayList<>();
    tensors()
        .forEach(
            (name, tensor) -> {
              Storage storage = tensor.storage();
              long start =
                  storages.get(storage.key()).offset() + tensor.offset() * storage.dtype().bytes();
              entries.add(new CheckpointEntry(file, name, storage.dtype(), tensor.shape(), start));
            });
    return entries;
  }

  /** PyTorch files hold no settings. */
  @Override
  public Optional<JsonObject> config() {
    return Optional.empty();
  }

  @Override
  public void verifyData() {
    Set<String> keys = new HashSet<>();
    for (TensorView tensor : tensors().values()) {
      if (keys.add(tensor.storage().key())) {
        TorchArchive.verify(file, storages.get(tensor.storage().key()));
      }
    }
  }

  @Override
  public Weights load() {
    Weights weights = new Weights(source);
    try (Scope scope = Scope.open()) {
      MappedFile mapped = new MappedFile(file);
      for (Map.Entry<String, TensorView> tensor : tensors().entrySet()) {
        try (Scope each = Scope.open()) {
          weights.put(tensor.getKey(), view(mapped, tensor.getKey(), tensor.getValue()));
        }
      }
      return weights;
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  private Tensor view(MappedFile mapped, String name, TensorView tensor) {
    StoredZip.Entry entry = storages.get(tensor.storage().key());
    Tensor row = mapped.row(name, tensor.storage().dtype(), entry.offset(), entry.bytes());
    return MappedFile.strided(row, longs(tensor.shape()), longs(tensor.strides()), tensor.offset());
  }

  private Map<String, TensorView> tensors() {
    if (checked != null) {
      return checked;
    }
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    long total = 0;
    List<String> names = names();
    if (names.size() > StoredZip.MAX_ENTRIES) {
      throw new WeightsException(
          source, "has " + names.size() + " tensors, more than " + StoredZip.MAX_ENTRIES);
    }
    for (String name : names) {
      if (values.get(name) instanceof Unreadable unreadable) {
        throw new WeightsException(source, name, unreadable.reason());
      }
      TensorView tensor = (TensorView) values.get(name);
      total += check(name, tensor);
      tensors.put(name, tensor);
      if (total < 0) {
        break;
      }
    }
    long stored = storages.values().stream().mapToLong(StoredZip.Entry::bytes).sum();
    if (total < 0 || total / MAX_SHARING > stored) {
      throw new WeightsException(
          source, "tensors of " + total + " bytes share " + stored + " stored bytes");
    }
    checked = tensors;
    return tensors;
  }

  /** Checks that a tensor stays inside its storage and its storage fills its entry. */
  private long check(String name, TensorView tensor) {
    Storage storage = tensor.storage();
    StoredZip.Entry entry = storages.get(storage.key());
    if (entry == null) {
      throw new WeightsException(source, name, "its storage " + storage.key() + " is missing");
    }
    int width = storage.dtype().bytes();
    if (entry.bytes() % width != 0 || entry.bytes() / width != storage.elements()) {
      throw new WeightsException(
          source,
          name,
          "its storage should hold "
              + storage.elements()
              + " elements of "
              + storage.dtype()
              + " but has "
              + entry.bytes()
              + " bytes");
    }
    long elements = StoredTensor.elements(source, name, longs(tensor.shape()));
    if (tensor.strides().size() != tensor.shape().size()) {
      throw new WeightsException(source, name, "has another number of strides than of axes");
    }
    if (tensor.offset() < 0 || elements > storage.elements() || !inside(tensor, elements)) {
      throw new WeightsException(
          source, name, "reaches outside its storage of " + storage.elements() + " elements");
    }
    return elements * width;
  }

  private static boolean inside(TensorView tensor, long elements) {
    long limit = tensor.storage().elements();
    if (elements == 0 || tensor.offset() > limit) {
      return tensor.offset() <= limit;
    }
    long last = tensor.offset();
    for (int axis = 0; axis < tensor.shape().size(); axis++) {
      long stride = tensor.strides().get(axis);
      long steps = tensor.shape().get(axis) - 1;
      if (stride < 0 || (steps > 0 && stride > limit / steps)) {
        return false;
      }
      last += steps * stride;
      if (last >= limit) {
        return false;
      }
    }
    return last < limit;
  }

  private static long[] longs(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }
}
