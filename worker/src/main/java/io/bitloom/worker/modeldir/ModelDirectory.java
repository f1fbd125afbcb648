package io.bitloom.worker.modeldir;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptLine;
import io.bitloom.common.prompt.PromptLineException;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.checkpoint.Checkpoint;
import io.bitloom.worker.checkpoint.CheckpointEntry;
import io.bitloom.worker.checkpoint.Checkpoints;
import io.bitloom.worker.checkpoint.JsonFields;
import io.bitloom.worker.checkpoint.StrictJson;
import io.bitloom.worker.model.InfinityConfig;
import io.bitloom.worker.model.InfinityLayout;
import io.bitloom.worker.model.InfinityPreset;
import io.bitloom.worker.model.SquareVar;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import io.bitloom.worker.text.TextEncoder;
import io.bitloom.worker.tokenizer.TokenizerConfig;
import io.bitloom.worker.tokenizer.TokenizerLayout;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A model as it lies on disk: {@code model.json} and the weight files beside it.
 *
 * <p>{@code model.json} has these members:
 *
 * <ul>
 *   <li>{@code format}: 1
 *   <li>{@code name}, {@code description}: for people and for {@code bitloom submit --model}
 *   <li>{@code sizes}: size classes that the model draws, its usual one first; of a
 *       class-conditional model {@code var256} or {@code var512}, which must have its {@code
 *       patch_nums} as scales
 *   <li>{@code defaults}: fields of a prompt line that hold where a prompt says nothing; optional
 *   <li>{@code transformer}, {@code tokenizer}: {@code preset}, the name of an official model
 *       ({@link InfinityPreset}, {@link TokenizerConfig#preset}), and {@code config} under the
 *       names of the official constructors, which goes before the preset; one of them is enough. A
 *       transformer with {@code num_classes} is a class-conditional VAR ({@link SquareVar}), whose
 *       tokenizer has the codebook's {@code vocab_size}. {@code weights}: a file name, or {@code
 *       {"random": …}} as {@link RandomWeights} reads it; {@code section}: which state dict of a
 *       file with several, if not the preferred one
 *   <li>{@code text_encoder}: {@code type} and what that type needs, see {@link TextEncoders}
 *   <li>{@code sha256}: digest of every weight file by name; absent where there is none
 * </ul>
 */
public final class ModelDirectory {
  /** Name of the model that comes with the worker. */
  public static final String DEMO = "demo";

  private static final String FILE = "model.json";
  private static final int FORMAT = 1;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private final String source;
  private final String digest;
  private final JsonFields json;
  private final ModelFiles files;
  private final String name;
  private final List<SizeClass> sizes;
  private final Prompt defaults;
  private final TokenizerConfig tokenizer;
  private final InfinityConfig transformer;

  /**
   * Reads and checks {@code model.json}; weights are not touched yet.
   *
   * @param nameOrFolder {@value #DEMO}, or the path of a model directory
   * @throws WeightsException naming file and member, if anything is missing or wrong
   */
  public static ModelDirectory open(String nameOrFolder) {
    if (nameOrFolder.equals(DEMO)) {
      return builtIn(nameOrFolder);
    }
    Path folder = Path.of(nameOrFolder).toAbsolutePath().normalize();
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new WeightsException(
          nameOrFolder, "is neither the built-in model " + DEMO + " nor a folder with " + FILE);
    }
    try {
      return new ModelDirectory(file.toString(), folder, Files.readAllBytes(file));
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static ModelDirectory builtIn(String name) {
    String resource = "/io/bitloom/worker/models/" + name + "/" + FILE;
    try (InputStream in = ModelDirectory.class.getResourceAsStream(resource)) {
      return new ModelDirectory(
          "built-in " + name + "/" + FILE, Path.of("").toAbsolutePath(), in.readAllBytes());
    } catch (IOException e) {
      throw new WeightsException(resource, "cannot be read: " + e.getMessage(), e);
    }
  }

  private ModelDirectory(String source, Path folder, byte[] content) {
    this.source = source;
    this.digest = "sha256:" + Digests.sha256(content);
    this.json =
        JsonFields.of(
            source, StrictJson.object(source, new String(content, StandardCharsets.UTF_8)));
    json.onlyMembers(
        "format",
        "name",
        "description",
        "sizes",
        "defaults",
        "transformer",
        "tokenizer",
        "text_encoder",
        "sha256");
    if (json.integer("format") != FORMAT) {
      throw new WeightsException(
          source, "format: expected " + FORMAT + ", found " + json.integer("format"));
    }
    this.name = json.text("name");
    if (!NAME.matcher(name).matches()) {
      throw new WeightsException(
          source, "name: expected letters, digits, dots, dashes and underscores");
    }
    this.sizes = sizes(json);
    this.defaults =
        json.has("defaults") ? defaults(json.object("defaults")) : Prompt.getDefaultInstance();
    this.files =
        json.has("sha256")
            ? ModelFiles.parse(source, folder, json.object("sha256"))
            : new ModelFiles(source, folder, Map.of());
    this.tokenizer = parseTokenizer();
    this.transformer = parseTransformer();
    checkSizes();
  }

  /** Whether a folder is a model directory. */
  public static boolean isAt(Path folder) {
    return Files.isRegularFile(folder.resolve(FILE));
  }

  /** Names {@code model.json} in messages. */
  public String source() {
    return source;
  }

  public String name() {
    return name;
  }

  public String description() {
    return json.text("description");
  }

  /** {@code sha256:} and the digest of {@code model.json}, which has those of all files. */
  public String digest() {
    return digest;
  }

  /** Size classes that the model draws, its usual one first; not empty. */
  public List<SizeClass> sizes() {
    return sizes;
  }

  /** What holds where a prompt says nothing. */
  public Prompt defaults() {
    return defaults;
  }

  /** Architecture of the transformer. */
  public InfinityConfig transformer() {
    return transformer;
  }

  /** The transformer's settings as {@code model.json} has them, under the official names. */
  public JsonObject transformerSettings() {
    return json.object("transformer").object("config").json();
  }

  /** The member {@code text_encoder} of {@code model.json}. */
  public JsonObject textEncoderSettings() {
    return json.object("text_encoder").json();
  }

  /** Architecture of the tokenizer. */
  public TokenizerConfig tokenizer() {
    return tokenizer;
  }

  /**
   * Compares the SHA-256 of every weight file. Files that had the right one before and have not
   * changed since are not read again.
   *
   * @throws WeightsException naming the file that is missing or differs
   */
  public void verifyFiles() {
    files.verify(VerifiedFiles.ofUser());
  }

  /**
   * {@link #verifyFiles} that reads every file, whatever is known of it from before.
   *
   * @throws WeightsException naming the file that is missing or differs
   */
  public void readFiles() {
    files.verify(VerifiedFiles.none());
  }

  /**
   * The stored weights of a part, as their headers describe them; empty for random ones.
   *
   * @throws WeightsException naming file and tensor
   */
  public Optional<Checkpoint> checkpoint(Role part) {
    JsonFields members = json.object(part.member());
    if (part != Role.TEXT) {
      members.onlyMembers("preset", "config", "weights", "section");
    }
    if (members.json().get("weights") instanceof JsonObject) {
      return Optional.empty();
    }
    Path file = files.find(part.member() + ".weights", members.text("weights"));
    return Optional.of(
        members.has("section")
            ? Checkpoints.read(file, members.text("section"))
            : Checkpoints.read(file));
  }

  /** The stored weights of a T5 text encoder against its {@code config.json}; empty for others. */
  Optional<Inspection> t5() {
    JsonFields encoder = json.object(Role.TEXT.member());
    if (!encoder.text("type").equals("t5")) {
      return Optional.empty();
    }
    Path config = files.find("text_encoder.config", encoder.text("config"));
    return checkpoint(Role.TEXT)
        .map(weights -> Inspection.fitting(weights, Role.TEXT, StrictJson.object(config)));
  }

  /**
   * What {@code model.json} says of the architecture of transformer or tokenizer, under the
   * official names.
   */
  public JsonObject settings(Role part) {
    JsonFields members = json.object(part.member());
    JsonObject settings = members.has("preset") ? preset(part, members.text("preset")) : null;
    if (settings == null) {
      return members.object("config").json();
    }
    if (members.has("config")) {
      members.object("config").json().asMap().forEach(settings::add);
    }
    return settings;
  }

  private JsonObject preset(Role part, String name) {
    Optional<JsonObject> preset =
        part == Role.TRANSFORMER
            ? InfinityPreset.find(name).map(InfinityPreset::settings)
            : TokenizerConfig.preset(name);
    return preset.orElseThrow(
        () ->
            new WeightsException(
                source,
                part.member()
                    + ".preset: expected "
                    + (part == Role.TRANSFORMER
                        ? "one of " + InfinityPreset.labels()
                        : "infinity_vae_d14, d16, d18, d20, d24, d32 or d64")
                    + ", found \""
                    + name
                    + "\""));
  }

  /**
   * Opens, or makes, the transformer's weights. The caller closes them.
   *
   * @throws WeightsException naming file and tensor
   */
  public Weights transformerWeights() {
    checkpoint(Role.TRANSFORMER).ifPresent(this::checkPairing);
    return weights(Role.TRANSFORMER, InfinityLayout.of(transformer));
  }

  /** The bits per token follow from the tokenizer's settings; the weights have a say as well. */
  private void checkPairing(Checkpoint weights) {
    for (CheckpointEntry entry : weights.entries()) {
      if (entry.name().equals("word_embed.weight") && entry.shape().size() == 2) {
        int bits = (int) Math.min(Integer.MAX_VALUE, entry.shape().get(1));
        Pairing.check(weights.file().toString(), transformer, bits, "of " + source, tokenizer);
      }
    }
  }

  /**
   * Opens, or makes, the tokenizer's weights. The caller closes them.
   *
   * @throws WeightsException naming file and tensor
   */
  public Weights tokenizerWeights() {
    return weights(Role.TOKENIZER, TokenizerLayout.of(tokenizer));
  }

  /**
   * A file of a model directory.
   *
   * @param name as in {@code model.json}, relative to the folder
   * @param path where it lies
   * @param sha256 its digest, in hexadecimal
   */
  public record ListedFile(String name, Path path, String sha256) {}

  /**
   * The files that belong to the text encoder: all that are listed but those of transformer and
   * tokenizer. A text encoder without weights has none.
   *
   * @throws WeightsException naming a file that is missing
   */
  public List<ListedFile> textFiles() {
    Set<Path> others = new HashSet<>();
    for (Role part : List.of(Role.TRANSFORMER, Role.TOKENIZER)) {
      checkpoint(part)
          .ifPresent(
              weights -> {
                others.add(weights.file().normalize());
                weights.files().forEach(file -> others.add(file.normalize()));
              });
    }
    List<ListedFile> listed = new ArrayList<>();
    files
        .digests()
        .forEach(
            (name, digest) -> {
              Path path = files.find("sha256", name);
              if (!others.contains(path)) {
                listed.add(new ListedFile(name, path, digest));
              }
            });
    return listed;
  }

  /**
   * Loads the text encoder. The caller closes it.
   *
   * @param dtype type of its linear layers
   * @throws WeightsException naming file and member or tensor, if it cannot be used or does not fit
   *     the transformer
   */
  public TextEncoder textEncoder(TorchDevice device, DType dtype) {
    return new TextEncoders(
            source,
            json.object("text_encoder"),
            files,
            layout -> weights(Role.TEXT, layout),
            transformer)
        .load(device, dtype);
  }

  private Weights weights(Role part, Map<String, long[]> layout) {
    return checkpoint(part).map(Checkpoint::load).orElseGet(() -> random(part, layout));
  }

  private Weights random(Role part, Map<String, long[]> layout) {
    JsonFields weights = json.object(part.member()).object("weights");
    weights.onlyMembers("random");
    String made = source + ": " + part.member() + ".weights.random";
    return RandomWeights.parse(made, weights.object("random")).generate(made, layout);
  }

  private TokenizerConfig parseTokenizer() {
    try {
      return TokenizerConfig.of(settings(Role.TOKENIZER));
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source, "tokenizer.config: " + e.getMessage(), e);
    }
  }

  /** Bits per token and the size of a token follow from the tokenizer, so both must agree. */
  private InfinityConfig parseTransformer() {
    InfinityConfig config;
    JsonObject settings = settings(Role.TRANSFORMER);
    try {
      boolean patchify =
          InfinityConfig.parse(settings, Pairing.PATCH_CELLS * tokenizer.codebookDim())
              .spatialPatchify();
      int bits = (patchify ? Pairing.PATCH_CELLS : 1) * tokenizer.codebookDim();
      config = InfinityConfig.parse(settings, bits);
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source, "transformer.config: " + e.getMessage(), e);
    }
    Pairing.check(source, config, config.bitsPerToken(), "of the same file", tokenizer);
    return config;
  }

  /** A VAR has the one size whose scales are its token maps; Infinity has those of all shapes. */
  private void checkSizes() {
    List<SizeClass> drawn =
        transformer.square() == null
            ? SizeClass.ofAllShapes()
            : transformer.square().size().map(List::of).orElse(List.of());
    if (drawn.isEmpty()) {
      throw new WeightsException(
          source, "transformer.config: " + transformer.square().unknownSides());
    }
    if (!drawn.containsAll(sizes)) {
      throw new WeightsException(
          source, "sizes: the transformer draws " + SizeClass.labels(drawn) + ", found " + sizes);
    }
  }

  private List<SizeClass> sizes(JsonFields json) {
    List<SizeClass> sizes = new ArrayList<>();
    for (JsonElement label : json.elements("sizes")) {
      sizes.add(
          SizeClass.find(label.isJsonPrimitive() ? label.getAsString() : "")
              .orElseThrow(
                  () ->
                      new WeightsException(
                          source,
                          "sizes: expected some of " + SizeClass.labels() + ", found " + label)));
    }
    if (sizes.isEmpty()) {
      throw new WeightsException(source, "sizes: at least one is needed");
    }
    return List.copyOf(sizes);
  }

  private Prompt defaults(JsonFields json) {
    try {
      Prompt defaults = PromptLine.parseDefaults(json.json().toString());
      List<FieldViolation> violations = PromptRules.defaults().checkDefaults(defaults);
      if (!violations.isEmpty()) {
        throw new WeightsException(source, "defaults: " + violations.get(0));
      }
      return defaults;
    } catch (PromptLineException e) {
      throw new WeightsException(source, "defaults: " + e.getMessage(), e);
    }
  }
}
