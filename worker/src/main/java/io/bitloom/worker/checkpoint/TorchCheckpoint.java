package io.bitloom.worker.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.worker.checkpoint.Pickled.Storage;
import io.bitloom.worker.checkpoint.Pickled.TensorView;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * A PyTorch checkpoint in the zip format ({@code .pth}, {@code .pt}, {@code .bin}): a pickle that
 * describes the tensors, and one stored entry of raw data per storage.
 *
 * <p>A checkpoint can be a bare state dict or hold several of them ({@link #sections}): the
 * tokenizer's {@code {"vae": …}}, and {@code {"trainer": {"gpt_fsdp": …, "gpt_ema_fsdp": …}}} of a
 * training run.
 */
public final class TorchCheckpoint {
  /**
   * Where state dicts lie, the preferred one first: of a transformer in training the running
   * average of its weights, which draws better pictures, before the weights of the last step.
   */
  private static final List<String> KNOWN_SECTIONS =
      List.of(
          "vae",
          "ema",
          "trainer.gpt_ema_fsdp",
          "trainer.gpt_fsdp",
          "trainer.gpt_wo_ddp",
          "trainer.var_wo_ddp",
          "trainer.vae_local");

  private static final String PICKLE = "data.pkl";
  private static final long MAX_PICKLE_BYTES = 128L << 20;

  /**
   * Tensors can share bytes (tied weights do), but a small file must not claim to be a huge one.
   */
  private static final long MAX_SHARING = 4;

  private final Path file;
  private final String source;
  private final Map<String, StoredZip.Entry> entries;
  private final String root;
  private final Map<String, Map<String, TensorView>> sections;

  private TorchCheckpoint(Path file) {
    this.file = file;
    this.source = file.toString();
    this.entries = StoredZip.entries(file);
    this.root = root();
    checkByteOrder();
    this.sections = findSections(PickleReader.read(source, bytes(PICKLE, MAX_PICKLE_BYTES)));
  }

  /**
   * Reads and checks the description of all tensors; their data is left alone, and nothing that the
   * file names is called.
   *
   * @throws WeightsException naming file, tensor and reason
   */
  public static TorchCheckpoint read(Path file) {
    return new TorchCheckpoint(file);
  }

  /**
   * The state dicts of the file, the preferred one first: {@link Checkpoint#BARE}, or paths such as
   * {@code trainer.gpt_fsdp}.
   */
  public Set<String> sections() {
    return sections.keySet();
  }

  /** The preferred state dict of the file. */
  public Checkpoint section() {
    return section(sections.keySet().iterator().next());
  }

  /**
   * One state dict of the file.
   *
   * @throws WeightsException if the file has no such section
   */
  public Checkpoint section(String section) {
    if (!sections.containsKey(section)) {
      throw new WeightsException(
          source, "has no section " + section + ", only " + sections.keySet());
    }
    return new Section(section);
  }

  /** A state dict and its place in the file. */
  private final class Section implements Checkpoint {
    private final String name;

    private Section(String name) {
      this.name = name;
    }

    @Override
    public Path file() {
      return file;
    }

    @Override
    public String section() {
      return name;
    }

    @Override
    public List<Path> files() {
      return List.of(file);
    }

    @Override
    public List<CheckpointEntry> entries() {
      return sections.get(name).entrySet().stream()
          .map(
              tensor ->
                  new CheckpointEntry(
                      file,
                      tensor.getKey(),
                      tensor.getValue().storage().dtype(),
                      tensor.getValue().shape()))
          .toList();
    }

    /** PyTorch files hold no settings. */
    @Override
    public Optional<JsonObject> config() {
      return Optional.empty();
    }

    @Override
    public Weights load() {
      return TorchCheckpoint.this.load(sections.get(name));
    }
  }

  private Weights load(Map<String, TensorView> tensors) {
    Weights weights = new Weights(source);
    try (Scope scope = Scope.open()) {
      MappedFile mapped = new MappedFile(file);
      for (Map.Entry<String, TensorView> tensor : tensors.entrySet()) {
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
    Storage storage = tensor.storage();
    StoredZip.Entry entry = entries.get(root + "data/" + storage.key());
    Tensor row = mapped.row(name, storage.dtype(), entry.offset(), entry.bytes());
    return MappedFile.strided(row, longs(tensor.shape()), longs(tensor.strides()), tensor.offset());
  }

  private String root() {
    List<String> roots =
        entries.keySet().stream()
            .filter(name -> name.equals(PICKLE) || name.matches("[^/]+/" + PICKLE))
            .map(name -> name.substring(0, name.length() - PICKLE.length()))
            .toList();
    if (roots.size() != 1) {
      throw new WeightsException(source, "is a zip archive but no PyTorch checkpoint");
    }
    if (entries.containsKey(roots.get(0) + "constants.pkl")) {
      throw new WeightsException(source, "is a TorchScript program, not a checkpoint");
    }
    return roots.get(0);
  }

  private void checkByteOrder() {
    if (entries.containsKey(root + "byteorder")
        && !new String(bytes("byteorder", 16), StandardCharsets.US_ASCII).equals("little")) {
      throw new WeightsException(source, "byteorder is not little");
    }
  }

  private byte[] bytes(String name, long limit) {
    StoredZip.Entry entry = entries.get(root + name);
    if (entry.bytes() > limit) {
      throw new WeightsException(source, name + " has " + entry.bytes() + " bytes, too many");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        InputStream in = Channels.newInputStream(channel.position(entry.offset()))) {
      return in.readNBytes((int) entry.bytes());
    } catch (IOException e) {
      throw new WeightsException(source, "cannot be read: " + e.getMessage(), e);
    }
  }

  private Map<String, Map<String, TensorView>> findSections(Object content) {
    Map<String, Map<String, TensorView>> found = new LinkedHashMap<>();
    if (content instanceof Map<?, ?> map
        && map.values().stream().anyMatch(TensorView.class::isInstance)) {
      found.put(Checkpoint.BARE, stateDict(map));
      return found;
    }
    for (String section : KNOWN_SECTIONS) {
      Object value = content;
      for (String key : section.split("\\.")) {
        value = value instanceof Map<?, ?> map ? map.get(key) : null;
      }
      if (value instanceof Map<?, ?> map) {
        found.put(section, stateDict(map));
      }
    }
    if (found.isEmpty()) {
      throw new WeightsException(
          source, "holds " + Pickled.kind(content) + " without a state dict in a known place");
    }
    return found;
  }

  private Map<String, TensorView> stateDict(Map<?, ?> map) {
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    long total = 0;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String name = String.valueOf(entry.getKey());
      if (!(entry.getValue() instanceof TensorView tensor)) {
        throw new WeightsException(
            source, name, "is " + Pickled.kind(entry.getValue()) + ", not a tensor");
      }
      total += check(name, tensor);
      tensors.put(name, tensor);
    }
    long stored =
        entries.values().stream()
            .filter(entry -> entry.name().startsWith(root + "data/"))
            .mapToLong(StoredZip.Entry::bytes)
            .sum();
    if (total < 0 || total / MAX_SHARING > stored) {
      throw new WeightsException(
          source, "tensors of " + total + " bytes share " + stored + " stored bytes");
    }
    return tensors;
  }

  /** Checks that a tensor stays inside its storage and its storage fills its entry. */
  private long check(String name, TensorView tensor) {
    Storage storage = tensor.storage();
    StoredZip.Entry entry = entries.get(root + "data/" + storage.key());
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
