package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A PyTorch checkpoint ({@code .pth}, {@code .pt}, {@code .bin}, {@code .ckpt}): a pickle that
 * describes the tensors, and a row of raw data per storage.
 *
 * <p>A checkpoint can be a bare state dict or hold several of them ({@link #sections}): the
 * tokenizer's {@code {"vae": …}}, {@code {"trainer": {"gpt_fsdp": …, "gpt_ema_fsdp": …}}} of a
 * training run, Lightning's {@code {"state_dict": …}}. What else it holds is passed over.
 */
final class TorchCheckpoint {
  private static final String ZIP = "PK\u0003\u0004";
  private static final String EMPTY_ZIP = "PK\u0005\u0006";

  /**
   * Where state dicts lie, the preferred one first: of a model in training the running average of
   * its weights, which draws better pictures, before the weights of the last step.
   */
  private static final List<String> KNOWN_SECTIONS =
      List.of(
          "vae",
          "ema",
          "ema_state_dict",
          "model_ema",
          "params_ema",
          "trainer.gpt_ema_fsdp",
          "trainer.gpt_fsdp",
          "trainer.gpt_wo_ddp",
          "trainer.var_wo_ddp",
          "trainer.vae_local",
          "state_dict",
          "model",
          "model_state_dict",
          "module",
          "params");

  private final Path file;
  private final String source;
  private final TorchArchive archive;
  private final Map<String, Map<?, ?>> sections;

  private TorchCheckpoint(Path file, TorchArchive archive) {
    this.file = file;
    this.source = file.toString();
    this.archive = archive;
    this.sections = findSections();
  }

  /**
   * Reads the description of all tensors; their data is left alone, and nothing that the file names
   * is called.
   *
   * @throws WeightsException naming file, tensor and reason
   */
  static TorchCheckpoint read(Path file) {
    return new TorchCheckpoint(
        file,
        LegacyTorch.is(ForeignWeightFile.head(file))
            ? LegacyTorch.read(file)
            : TorchArchive.ofZip(file));
  }

  /** Whether a file that begins like this is of PyTorch. */
  static boolean is(String head) {
    return head.startsWith(ZIP) || head.startsWith(EMPTY_ZIP) || LegacyTorch.is(head);
  }

  /**
   * The state dicts of the file, the preferred one first.
   *
   * @throws WeightsException if there are none in a known place
   */
  List<Checkpoint> sections() {
    if (sections.isEmpty()) {
      throw new WeightsException(
          source,
          "holds "
              + described()
              + " without a state dict in a known place; name one with --section, or save the"
              + " model's state_dict() alone");
    }
    return known();
  }

  /** {@link #sections}, if there are any. */
  List<Checkpoint> known() {
    return sections.keySet().stream().map(this::section).toList();
  }

  /**
   * A state dict at any place of the file.
   *
   * @param path keys that lead there, with dots between; {@link Checkpoint#BARE} for the whole
   * @throws WeightsException if there is none
   */
  Checkpoint section(String path) {
    Map<?, ?> found = sections.containsKey(path) ? sections.get(path) : at(path);
    if (found == null) {
      throw new WeightsException(
          source,
          "has no section "
              + path
              + ", only "
              + (sections.isEmpty() ? described() : sections.keySet()));
    }
    return new StateDict(file, path, found, archive.storages());
  }

  private Map<String, Map<?, ?>> findSections() {
    Map<String, Map<?, ?>> found = new LinkedHashMap<>();
    for (String section : KNOWN_SECTIONS) {
      Map<?, ?> value = at(section);
      if (value != null) {
        found.put(section, value);
      }
    }
    if (found.isEmpty() && at(Checkpoint.BARE) != null) {
      found.put(Checkpoint.BARE, at(Checkpoint.BARE));
    }
    return found;
  }

  /** The dictionary at a path, if it has tensors. */
  private Map<?, ?> at(String path) {
    Object value = archive.content();
    for (String key : path.isEmpty() ? new String[0] : path.split("\\.")) {
      value = value instanceof Map<?, ?> map ? map.get(key) : null;
    }
    return value instanceof Map<?, ?> map && map.values().stream().anyMatch(StateDict::isTensor)
        ? map
        : null;
  }

  private String described() {
    if (!(archive.content() instanceof Map<?, ?> map)) {
      return Pickled.kind(archive.content());
    }
    return map.keySet().stream()
        .limit(8)
        .map(key -> key instanceof String name ? name : Pickled.kind(key))
        .collect(Collectors.joining(", ", "a dictionary of ", map.size() > 8 ? ", …" : ""));
  }
}
