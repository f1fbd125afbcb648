package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.CheckpointEntry;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.codes.CodebookCodes;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.model.SquareVar;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A model as it lies on disk: {@code model.json}, which {@link ModelDescription} explains, and the
 * weight files beside it.
 */
public final class ModelDirectory {
  /** Name of the small trained model that comes with the worker. */
  public static final String DEMO = "demo";

  /** Name of a model with random weights that comes with the worker: it draws every size. */
  public static final String UNTRAINED = "untrained";

  /** Names of the models that come with the worker. */
  public static final List<String> BUILT_IN = List.of(DEMO, UNTRAINED);

  static final String FILE = "model.json";

  private final String source;
  private final String digest;
  private final ModelDescription model;
  private final ModelFiles files;

  /**
   * Reads and checks {@code model.json}; weights are not touched yet.
   *
   * @param nameOrFolder one of {@link #BUILT_IN}, or the path of a model directory
   * @throws WeightsException naming file and member, if anything is missing or wrong
   */
  public static ModelDirectory open(String nameOrFolder) {
    Path folder =
        builtIn(nameOrFolder).orElseGet(() -> Path.of(nameOrFolder).toAbsolutePath().normalize());
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new WeightsException(unknown(nameOrFolder));
    }
    try {
      return new ModelDirectory(file.toString(), folder, Files.readAllBytes(file));
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The folder of a model that comes with the worker; empty if this is not the name of one.
   *
   * @throws WeightsException if it has to be copied and cannot be
   */
  public static Optional<Path> builtIn(String name) {
    return BuiltInModels.ofUser().find(name);
  }

  private ModelDirectory(String source, Path folder, byte[] content) {
    this.source = source;
    this.digest = "sha256:" + Digests.sha256(content);
    this.model = new ModelDescription(source, content);
    this.files =
        model.json().has("sha256")
            ? ModelFiles.parse(source, folder, model.json().object("sha256"))
            : new ModelFiles(source, folder, Map.of());
  }

  /** Says that there is no such model, and which there are. */
  public static String unknown(String nameOrFolder) {
    return "\""
        + nameOrFolder
        + "\" is neither a built-in model ("
        + String.join(", ", BUILT_IN)
        + ") nor a folder with "
        + FILE;
  }

  /** Whether there is a built-in model of this name, or a model directory there. */
  public static boolean exists(String nameOrFolder) {
    return BUILT_IN.contains(nameOrFolder) || isAt(Path.of(nameOrFolder));
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
    return model.name();
  }

  public String description() {
    return model.json().text("description");
  }

  /** {@code sha256:} and the digest of {@code model.json}, which has those of all files. */
  public String digest() {
    return digest;
  }

  /** Size classes that the model draws, its usual one first; not empty. */
  public List<SizeClass> sizes() {
    return model.sizes();
  }

  /** What holds where a prompt says nothing. */
  public ImagePrompt defaults() {
    return model.defaults();
  }

  /**
   * Fills what a prompt leaves out with this model's defaults.
   *
   * @param prompt that has passed {@link ImagePromptRules#check(ImagePrompt)}
   * @param job starts the seed of a prompt that has none
   * @param offset goes into that seed and into a missing custom id
   */
  public ImagePromptRules.Resolved resolve(ImagePrompt prompt, String job, long offset) {
    return ImagePromptRules.resolve(
        prompt, ImagePrompt.NONE, defaults(), sizeLabels(), job, offset);
  }

  /** All that is wrong with a resolved prompt for this model. */
  public List<FieldViolation> check(ImagePromptRules.Resolved resolved) {
    return ImagePromptRules.check(resolved, name(), sizeLabels(), transformer().depth());
  }

  private List<String> sizeLabels() {
    return sizes().stream().map(SizeClass::label).toList();
  }

  /** Architecture of the transformer. */
  public InfinityConfig transformer() {
    return model.transformer();
  }

  /** The transformer's settings as {@code model.json} has them, under the official names. */
  public JsonObject transformerSettings() {
    return model.part(Role.TRANSFORMER).object("config").json();
  }

  /** The member {@code text_encoder} of {@code model.json}. */
  public JsonObject textEncoderSettings() {
    return model.part(Role.TEXT).json();
  }

  /** Architecture of the tokenizer. */
  public TokenizerConfig tokenizer() {
    return model.tokenizer();
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
    JsonFields members = model.part(part);
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
    JsonFields encoder = model.part(Role.TEXT);
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
    return model.settings(part);
  }

  /**
   * Opens, or makes, the transformer's weights. The caller closes them.
   *
   * @throws WeightsException naming file and tensor
   */
  public Weights transformerWeights() {
    checkpoint(Role.TRANSFORMER).ifPresent(this::checkPairing);
    return weights(Role.TRANSFORMER, InfinityLayout.of(transformer()));
  }

  /**
   * Loads the transformer for generation. The caller closes it.
   *
   * @param tokenizer {@link #tokenizerWeights}, among which is a VAR's codebook
   * @param dtype type of the linear layers and the KV cache
   * @throws WeightsException naming file and tensor
   */
  public InfinityTransformer transformer(Weights tokenizer, TorchDevice device, DType dtype) {
    InfinityConfig config = transformer();
    SquareVar square = config.square();
    try (Weights weights = transformerWeights()) {
      return square == null
          ? InfinityTransformer.forInference(config, weights, device, dtype)
          : InfinityTransformer.forInference(
              config,
              weights,
              new CodebookCodes(config.bitsPerToken(), square.vocabulary(), tokenizer, device),
              device,
              dtype);
    }
  }

  /** The bits per token follow from the tokenizer's settings; the weights have a say as well. */
  private void checkPairing(Checkpoint weights) {
    for (CheckpointEntry entry : weights.entries()) {
      if (entry.name().equals("word_embed.weight") && entry.shape().size() == 2) {
        int bits = (int) Math.min(Integer.MAX_VALUE, entry.shape().get(1));
        Pairing.check(weights.file().toString(), transformer(), bits, "of " + source, tokenizer());
      }
    }
  }

  /**
   * Opens, or makes, the tokenizer's weights. The caller closes them.
   *
   * @throws WeightsException naming file and tensor
   */
  public Weights tokenizerWeights() {
    return weights(Role.TOKENIZER, TokenizerLayout.of(tokenizer()));
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
   * Bytes that the weights take in memory: of transformer and tokenizer by their shapes, of the
   * text encoder by its files, as if they were of two bytes a number.
   *
   * @param dtype that they are computed in
   */
  public long weightBytes(DType dtype) {
    long numbers =
        Stream.of(InfinityLayout.of(transformer()), TokenizerLayout.of(tokenizer()))
            .flatMap(layout -> layout.values().stream())
            .mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b))
            .sum();
    long text = textFiles().stream().mapToLong(file -> file.path().toFile().length()).sum();
    return (numbers + text / 2) * dtype.bytes();
  }

  /**
   * Loads the text encoder. The caller closes it.
   *
   * @param dtype type of its linear layers
   * @throws WeightsException naming file and member or tensor, if it cannot be used or does not fit
   *     the transformer
   */
  public TextEncoder textEncoder(TorchDevice device, DType dtype) {
    return textEncoders().load(device, dtype);
  }

  /** The member {@code text_encoder.type} of {@code model.json}. */
  public String textEncoderType() {
    return model.part(Role.TEXT).text("type");
  }

  /**
   * The parts of a text encoder of the type {@code word_embeddings}, as training needs them.
   *
   * @throws WeightsException as {@link #textEncoder} does
   */
  public WordEmbeddings wordEmbeddings() {
    return textEncoders().wordEmbeddings();
  }

  private TextEncoders textEncoders() {
    return new TextEncoders(
        source, model.part(Role.TEXT), files, layout -> weights(Role.TEXT, layout), transformer());
  }

  private Weights weights(Role part, Map<String, long[]> layout) {
    return checkpoint(part)
        .map(stored -> TiedNames.leftAway(stored, part, layout.keySet()).load())
        .orElseGet(() -> random(part, layout));
  }

  private Weights random(Role part, Map<String, long[]> layout) {
    JsonFields weights = model.part(part).object("weights");
    weights.onlyMembers("random");
    String made = source + ": " + part.member() + ".weights.random";
    return RandomWeights.parse(made, weights.object("random")).generate(made, layout);
  }
}
