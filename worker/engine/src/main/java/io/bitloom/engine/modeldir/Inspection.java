package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.CheckpointEntry;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.T5Config;
import io.bitloom.engine.text.T5Layout;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.TokenizerNames;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/**
 * A checkpoint seen as a part of a model: its architecture, and what does not fit it. Everything
 * but {@link #dataFaults} is known from headers alone.
 */
public final class Inspection {
  private static final Set<DType> WEIGHT_TYPES = Set.of(DType.F32, DType.F16, DType.BF16);

  private final Role role;
  private final Map<String, CheckpointEntry> entries = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Architecture architecture;
  private Checkpoint checkpoint;

  private Inspection(Checkpoint all, Role role, Architecture given) {
    this.role = role;
    take(all);
    this.architecture = given != null ? given : recognise();
    take(TiedNames.leftAway(all, role, layout()));
  }

  private void take(Checkpoint taken) {
    checkpoint = taken;
    entries.clear();
    shapes.clear();
    for (CheckpointEntry entry : taken.entries()) {
      String name = role == Role.TOKENIZER ? TokenizerNames.official(entry.name()) : entry.name();
      entries.put(name, entry);
      shapes.put(name, entry.sizes());
    }
  }

  /** The names that the architecture has; those of the file where its settings are impossible. */
  private Set<String> layout() {
    try {
      return switch (role) {
        case TRANSFORMER -> InfinityLayout.of(transformer()).keySet();
        case TOKENIZER -> TokenizerLayout.of(tokenizer()).keySet();
        case TEXT -> T5Layout.of(textEncoder()).keySet();
      };
    } catch (WeightsException e) {
      return shapes.keySet(); // the fault is told with the others
    }
  }

  /**
   * Finds out the architecture of a checkpoint: settings that somebody gives go before those stored
   * with the weights, and these before what can be seen in the tensors.
   *
   * @param role which part of a model the checkpoint is to be
   * @throws WeightsException if the architecture cannot be found out
   */
  public static Inspection of(Checkpoint checkpoint, Role role, GivenSettings given) {
    Inspection found = new Inspection(checkpoint, role, null);
    JsonObject changes = given.of(role);
    if (changes.isEmpty()) {
      return found;
    }
    return new Inspection(checkpoint, role, found.architecture.with(changes));
  }

  /** A checkpoint that is to fit settings that stand elsewhere. */
  static Inspection fitting(Checkpoint checkpoint, Role role, JsonObject settings) {
    return new Inspection(checkpoint, role, Architecture.given(settings, "in model.json"));
  }

  /**
   * The same transformer; where its settings do not say whether it uses spatial patchify, this
   * follows from its tokenizer.
   */
  Inspection patchified(TokenizerConfig tokenizer) {
    String key = "apply_spatial_patchify";
    boolean open = architecture.assumed().stream().anyMatch(assumed -> assumed.startsWith(key));
    boolean whole = bitsPerToken() == tokenizer.codebookDim();
    if (!open || (!whole && bitsPerToken() != Pairing.PATCH_CELLS * tokenizer.codebookDim())) {
      return this;
    }
    JsonObject patchify = new JsonObject();
    patchify.addProperty(key, whole ? 0 : 1);
    return new Inspection(checkpoint, role, architecture.with(patchify));
  }

  /** Bits that a transformer decides per token. */
  int bitsPerToken() {
    return TransformerRecognition.bitsPerToken(source(), shapes);
  }

  /** Whether a transformer is a class-conditional VAR. */
  boolean isVar() {
    return shapes.containsKey("class_emb.weight");
  }

  public Checkpoint checkpoint() {
    return checkpoint;
  }

  public Role role() {
    return role;
  }

  public Architecture architecture() {
    return architecture;
  }

  private Architecture recognise() {
    if (role == Role.TEXT) {
      Path config = checkpoint.file().resolveSibling("config.json");
      if (!Files.isRegularFile(config)) {
        throw new WeightsException(source(), "a text encoder needs a config.json beside it");
      }
      return Architecture.given(StrictJson.object(config), config.toString());
    }
    return checkpoint
        .config()
        .map(settings -> Architecture.given(settings, "stored in the file"))
        .orElseGet(
            () ->
                role == Role.TRANSFORMER
                    ? TransformerRecognition.recognise(source(), shapes)
                    : TokenizerRecognition.recognise(source(), shapes));
  }

  /** Name of the official model with this architecture; empty if there is none. */
  public Optional<String> preset() {
    try {
      if (role == Role.TRANSFORMER) {
        return InfinityPreset.of(transformer()).map(InfinityPreset::label);
      }
      if (role == Role.TOKENIZER) {
        TokenizerConfig config = tokenizer();
        String name = "infinity_vae_d" + config.codebookDim();
        return TokenizerConfig.preset(name)
            .filter(preset -> TokenizerConfig.of(preset).equals(config))
            .map(preset -> name);
      }
      return Optional.empty();
    } catch (WeightsException e) {
      return Optional.empty();
    }
  }

  /** Number of values in tensors of floating-point numbers. */
  public long parameters() {
    return entries.values().stream()
        .filter(entry -> entry.dtype().floating())
        .mapToLong(CheckpointEntry::elements)
        .sum();
  }

  /** Size of all tensors in bytes. */
  public long bytes() {
    return entries.values().stream().mapToLong(CheckpointEntry::bytes).sum();
  }

  /**
   * The architecture of a transformer.
   *
   * @throws WeightsException naming the setting that is not possible
   */
  public InfinityConfig transformer() {
    return settings(
        settings ->
            InfinityConfig.parse(settings, TransformerRecognition.bitsPerToken(source(), shapes)));
  }

  /**
   * The architecture of a tokenizer.
   *
   * @throws WeightsException naming the setting that is not possible
   */
  public TokenizerConfig tokenizer() {
    return settings(TokenizerConfig::of);
  }

  private T5Config textEncoder() {
    return T5Config.parse(JsonFields.of(architecture.origin(), architecture.settings()));
  }

  private interface Parser<T> {
    T parse(JsonObject settings);
  }

  private <T> T settings(Parser<T> parser) {
    try {
      return parser.parse(architecture.settings());
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source(), "settings: " + e.getMessage(), e);
    }
  }

  /**
   * What the headers show to be wrong: tensors that are missing, left over, of another shape or
   * type than the architecture has. Each fault names file and tensor.
   */
  public List<String> faults() {
    List<String> faults = new ArrayList<>();
    entries.forEach((name, entry) -> addTypeFault(faults, name, entry));
    try {
      for (String fault : layoutFaults()) {
        faults.add(fileOf(fault) + ": " + fault);
      }
    } catch (WeightsException e) {
      faults.add(e.getMessage());
    }
    return faults;
  }

  private List<String> layoutFaults() {
    return switch (role) {
      case TRANSFORMER -> InfinityLayout.faults(transformer(), shapes);
      case TOKENIZER -> TokenizerLayout.faults(tokenizer(), shapes);
      case TEXT -> T5Layout.faults(textEncoder(), shapes);
    };
  }

  private void addTypeFault(List<String> faults, String name, CheckpointEntry entry) {
    boolean integer =
        role == Role.TOKENIZER && name.endsWith(".mask")
            || role == Role.TRANSFORMER && name.equals("lvl_1L");
    if (integer ? entry.dtype() != DType.I64 : !WEIGHT_TYPES.contains(entry.dtype())) {
      String expected = integer ? "I64" : "F32, F16 or BF16";
      faults.add(at(entry) + "is of type " + entry.dtype() + ", expected " + expected);
    }
  }

  /**
   * Tensors of another type than those beside them. The blocks of a transformer may differ from the
   * rest, as in the official bfloat16 models; a single tensor that differs was changed by mistake.
   */
  public List<String> mixedTypes() {
    Map<Boolean, Map<DType, Integer>> usual = new TreeMap<>();
    for (CheckpointEntry entry : floating()) {
      usual
          .computeIfAbsent(inBlock(entry), group -> new TreeMap<>())
          .merge(entry.dtype(), 1, Integer::sum);
    }
    List<String> faults = new ArrayList<>();
    for (CheckpointEntry entry : floating()) {
      DType most =
          usual.get(inBlock(entry)).entrySet().stream()
              .max(Map.Entry.comparingByValue())
              .orElseThrow()
              .getKey();
      if (entry.dtype() != most) {
        faults.add(at(entry) + "is of type " + entry.dtype() + " among tensors of type " + most);
      }
    }
    return faults;
  }

  private List<CheckpointEntry> floating() {
    return entries.values().stream().filter(entry -> entry.dtype().floating()).toList();
  }

  private boolean inBlock(CheckpointEntry entry) {
    return role == Role.TRANSFORMER && entry.name().matches("(block_chunks|blocks)\\..*");
  }

  /**
   * Reads every tensor.
   *
   * @return a line for each that holds a value that is not finite, or is a buffer of other than its
   *     only possible value; and for a file that cannot be read to its end
   */
  public List<String> dataFaults() {
    List<String> faults = new ArrayList<>();
    try (Weights weights = checkpoint.load()) {
      checkpoint.verifyData();
      for (CheckpointEntry entry : entries.values()) {
        try (Scope scope = Scope.open();
            Tensor tensor = weights.take(entry.name(), entry.sizes())) {
          if (isRecomputed(entry)) {
            continue; // a mask is not finite, and nobody reads it
          }
          if (!Tensors.isFinite(tensor)) {
            faults.add(at(entry) + "holds values that are not finite");
          } else if (entry.name().endsWith("zero_k_bias")
              && tensor.count_nonzero().item().toLong() > 0) {
            faults.add(at(entry) + "is not zero, which the k bias always is");
          }
        }
      }
    } catch (WeightsException e) {
      faults.add(e.getMessage());
    }
    return faults;
  }

  private boolean isRecomputed(CheckpointEntry entry) {
    return role == Role.TRANSFORMER && InfinityLayout.isRecomputed(entry.name());
  }

  private String at(CheckpointEntry entry) {
    return entry.file() + ": tensor " + entry.name() + " ";
  }

  /** The shard that a fault's tensor is in; the whole set for a tensor that is missing. */
  private Path fileOf(String fault) {
    String name = fault.split(" ", 3)[1].replaceFirst(":$", "");
    CheckpointEntry entry = entries.get(name);
    return entry == null ? checkpoint.file() : entry.file();
  }

  private String source() {
    return checkpoint.file().toString();
  }
}
