package io.bitloom.worker.train.transformer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.codes.QuantizerConfig;
import io.bitloom.worker.model.InfinityConfig;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.modeldir.TokenizerFile;
import io.bitloom.worker.modeldir.WordEmbeddings;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.text.HashedWordEncoder;
import io.bitloom.worker.text.TextEncoder;
import io.bitloom.worker.text.WordEmbeddingConfig;
import io.bitloom.worker.text.WordVocabulary;
import io.bitloom.worker.tokenizer.TokenizerConfig;
import io.bitloom.worker.tokenizer.VisualTokenizer;
import io.bitloom.worker.train.TrainingJob;
import io.bitloom.worker.train.config.DataConfig;
import io.bitloom.worker.train.config.OptimizerConfig;
import io.bitloom.worker.train.config.RunConfig;
import io.bitloom.worker.train.config.YamlFields;
import io.bitloom.worker.train.data.FeatureCache;
import io.bitloom.worker.train.data.StoredTextFeatures;
import io.bitloom.worker.train.distributed.Processes;
import io.bitloom.worker.train.run.Learner;
import io.bitloom.worker.train.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** A configuration file of {@code --mode train}. */
public final class TransformerJob implements TrainingJob {
  private static final String HASHED_WORDS = "hashed_words";
  private static final String WORD_EMBEDDINGS = "word_embeddings";
  private static final double LEARNING_RATE = 6e-5;

  /** The official constructor's arguments that an architecture is described by. */
  private static final List<String> ARCHITECTURE =
      List.of(
          "embed_dim",
          "depth",
          "num_heads",
          "block_chunks",
          "mlp_ratio",
          "text_channels",
          "text_maxlen",
          "apply_spatial_patchify",
          "use_bit_label",
          "norm_eps",
          "rms_norm",
          "nm0",
          "shared_aln",
          "head_aln",
          "head_depth",
          "cos_attn",
          "swiglu",
          "cross_attn_layer_scale",
          "add_lvl_embeding_only_first_block",
          "rope2d_each_sa_layer",
          "rope2d_normalized_by_hw");

  private static final List<String> LORA_TARGETS = List.of("sa", "ca", "ffn");

  private static final Gson SNAKE_CASE =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .create();

  private final RunConfig run;
  private final DataConfig data;
  private final ModelDirectory start; // null for new weights
  private final TokenizerFile tokenizerFile; // null where the tokenizer is that of the start
  private final TokenizerConfig tokenizer;
  private final JsonObject architecture;
  private final InfinityInitialization initialization;
  private final TransformerSettings settings;
  private final TextSettings text;

  private TransformerJob(YamlFields yaml) {
    run = RunConfig.of(yaml);
    data = DataConfig.of(yaml.section("data"));
    start =
        yaml.has("start_from") ? ModelDirectory.open(yaml.model("start_from").toString()) : null;
    boolean ownTokenizer = start == null || yaml.has("tokenizer");
    tokenizerFile = ownTokenizer ? new TokenizerFile(yaml.model("tokenizer")) : null;
    tokenizer = tokenizer(yaml);
    architecture = architecture(yaml);
    initialization = initialization(yaml.section("initialization"));
    settings = settings(yaml);
    text = text(yaml);
    yaml.done();
  }

  /**
   * Reads a configuration file.
   *
   * @throws io.bitloom.worker.train.config.ConfigFileException naming file, line, field and value
   */
  public static TransformerJob read(Path file) {
    return new TransformerJob(YamlFields.read(file));
  }

  private TokenizerConfig tokenizer(YamlFields yaml) {
    if (tokenizerFile == null) {
      return start.tokenizer();
    }
    try {
      QuantizerConfig quantizer = tokenizerFile.quantizer();
      if (quantizer.kind() != QuantizerConfig.Kind.BSQ) {
        throw yaml.fault(
            "tokenizer",
            tokenizerFile.path() + ": expected one with BSQ, found " + quantizer.kind());
      }
      if (quantizer.singleScale()) {
        throw yaml.fault(
            "tokenizer",
            tokenizerFile.path() + ": expected one with all scales, found single_scale: true");
      }
      if (tokenizerFile.config().vectorQuantized()) {
        throw yaml.fault(
            "tokenizer", tokenizerFile.path() + ": expected one with BSQ, found a VAR's");
      }
      return tokenizerFile.config();
    } catch (IllegalArgumentException e) {
      throw yaml.fault("tokenizer", e.getMessage());
    }
  }

  private TextSettings text(YamlFields yaml) {
    YamlFields fields = yaml.section("text_encoder");
    TextSettings found = start == null ? newText(yaml, fields) : textOfStart(fields);
    if (found.learns() && data.textCache() != null) {
      throw yaml.fault("data", "text_cache: features of an encoder that learns do not last");
    }
    return found;
  }

  private TextSettings newText(YamlFields yaml, YamlFields fields) {
    if (fields.choice("type", TextType.HASHED_WORDS) == TextType.HASHED_WORDS) {
      return TextSettings.FROZEN;
    }
    try {
      return new TextSettings(
          true,
          new NewText(
              fields.count("vocabulary", 10_000, 1),
              new WordEmbeddingConfig(
                  settings.architecture().textChannels(),
                  fields.count("depth", 1, 0),
                  fields.count("num_heads", 4, 1),
                  settings.architecture().textMaxLength(),
                  fields.count("relative_buckets", 0, 0))),
          0);
    } catch (IllegalArgumentException e) {
      throw yaml.fault("text_encoder", e.getMessage());
    }
  }

  private TextSettings textOfStart(YamlFields fields) {
    if (fields.has("type")) {
      throw fields.fault("type", "is that of start_from");
    }
    if (!fields.flag("learn", false)) {
      return TextSettings.FROZEN;
    }
    if (!start.textEncoderType().equals(WORD_EMBEDDINGS)) {
      throw fields.fault(
          "learn", "only word embeddings can, and start_from has " + start.textEncoderType());
    }
    if (settings.lora() != null) {
      throw fields.fault("learn", "not with lora, which changes the transformer's blocks alone");
    }
    return new TextSettings(true, null, newPositions(fields));
  }

  /** Relative positions with which the attention of the start's encoder begins anew; 0 for none. */
  private int newPositions(YamlFields fields) {
    int buckets = fields.count("relative_buckets", 0, 0);
    try {
      start.wordEmbeddings().config().withRelativeBuckets(buckets);
      return buckets;
    } catch (IllegalArgumentException e) {
      throw fields.fault("relative_buckets", e.getMessage());
    }
  }

  /** Text encoders that a new transformer can be trained with. */
  private enum TextType {
    HASHED_WORDS,
    WORD_EMBEDDINGS
  }

  /**
   * The section {@code text_encoder}.
   *
   * @param learns whether the encoder learns with the transformer
   * @param first a new encoder; null if there is none, or if it is that of the start
   * @param newPositions buckets of relative positions with which the attention of the start's
   *     encoder begins anew; 0 if it learns on
   */
  private record TextSettings(boolean learns, NewText first, int newPositions) {
    static final TextSettings FROZEN = new TextSettings(false, null, 0);
  }

  /**
   * Word embeddings that begin with random weights.
   *
   * @param words most words of the vocabulary
   * @param config architecture
   */
  private record NewText(int words, WordEmbeddingConfig config) {}

  /** The encoder that learns with the transformer, whose weights are added; null if none does. */
  private JointText jointText(Weights weights) throws IOException {
    if (!text.learns()) {
      return null;
    }
    if (text.first() == null) {
      WordEmbeddings learnt = start.wordEmbeddings();
      try (Weights first = learnt.weights()) {
        boolean newAttention = text.newPositions() > 0;
        JointText joint =
            new JointText(
                newAttention
                    ? learnt.config().withRelativeBuckets(text.newPositions())
                    : learnt.config(),
                learnt.vocabulary());
        joint.addTo(weights, first, newAttention, run.seed());
        return joint;
      }
    }
    JointText joint = new JointText(text.first().config(), vocabulary(text.first().words()));
    joint.addTo(weights, run.seed());
    return joint;
  }

  /** The commonest words of the captions, which a run counts once. */
  private WordVocabulary vocabulary(int words) throws IOException {
    Path file = run.folder().resolve("vocabulary.txt");
    if (!Files.exists(file)) {
      Files.createDirectories(run.folder());
      Path unfinished = Files.createTempFile(run.folder(), "vocabulary", ".part");
      WordVocabulary.ofTexts(data.captions(), words).write(unfinished);
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return WordVocabulary.read(file);
  }

  private JsonObject architecture(YamlFields yaml) {
    if (start == null) {
      return yaml.section("transformer").json(ARCHITECTURE);
    }
    if (yaml.has("transformer")) {
      throw yaml.fault("transformer", "is that of start_from, and cannot be given as well");
    }
    if (start.transformer().square() != null) {
      throw yaml.fault("start_from", "class-conditional models cannot be trained further");
    }
    return start.transformerSettings();
  }

  private InfinityConfig parsed(YamlFields yaml) {
    boolean patchify = tokenizer.patchSize() < ScaleSchedule.PIXELS_PER_TOKEN;
    try {
      return InfinityConfig.parse(architecture, (patchify ? 4 : 1) * tokenizer.codebookDim());
    } catch (IllegalArgumentException e) {
      throw yaml.fault("transformer", e.getMessage());
    }
  }

  private static InfinityInitialization initialization(YamlFields yaml) {
    InfinityInitialization reference = InfinityInitialization.REFERENCE;
    return new InfinityInitialization(
        yaml.number("gate", reference.gate(), 0, 10),
        yaml.number("modulation", reference.modulation(), 0, 10),
        yaml.number("head", reference.head(), 0, 10));
  }

  private TransformerSettings settings(YamlFields yaml) {
    InfinityConfig model = parsed(yaml);
    Objective objective = objective(yaml.section("objective"));
    if (objective.weighBits() && !model.bitLabels()) {
      throw yaml.fault("objective", "weigh_bits: use_bit_label is off, so there are none");
    }
    OptimizerConfig optimizer = OptimizerConfig.of(yaml.section("optimizer"), LEARNING_RATE);
    return new TransformerSettings(
        model,
        objective,
        optimizer.adamW(),
        optimizer.muon(),
        optimizer.learningRate(),
        optimizer.clip(),
        optimizer.averageDecay(),
        yaml.flag("export_ema", true),
        yaml.count("part_tokens", Integer.MAX_VALUE, 1),
        yaml.flag("recompute", false),
        run.device(),
        run.precision(),
        run.seed(),
        run.steps(),
        yaml.texts("prompts"),
        lora(yaml, optimizer));
  }

  /** The section {@code lora}; null if there is none. */
  private Lora lora(YamlFields yaml, OptimizerConfig optimizer) {
    if (!yaml.has("lora")) {
      return null;
    }
    YamlFields fields = yaml.section("lora");
    if (start == null) {
      throw yaml.fault("lora", "changes a model, which start_from has to name");
    }
    if (optimizer.muon() != null) {
      throw yaml.fault("lora", "is learnt by AdamW: Muon is for whole matrices");
    }
    int rank = fields.count("rank", 8, 1);
    List<String> targets = fields.has("targets") ? fields.texts("targets") : LORA_TARGETS;
    try {
      Lora lora = new Lora(rank, fields.number("alpha", rank, 1e-6, 1e6), targets, start.digest());
      lora.layers(parsed(yaml));
      return lora;
    } catch (IllegalArgumentException e) {
      throw yaml.fault("lora", e.getMessage());
    }
  }

  private static Objective objective(YamlFields yaml) {
    Objective reference = Objective.REFERENCE;
    return new Objective(
        yaml.number("flip_strength", reference.flipStrength(), 0, 1),
        yaml.count("flip_scales", reference.flipScales(), 0),
        yaml.flag("requantize", reference.requantize()),
        yaml.number("condition_drop", reference.conditionDrop(), 0, 1),
        yaml.flag("reweight", reference.reweight()),
        yaml.flag("weigh_bits", reference.weighBits()),
        yaml.flag("bit_sum", reference.bitSum()),
        yaml.count("scales", reference.scales(), 1),
        yaml.integer("all_scales_from", reference.allScalesFrom(), 0, Long.MAX_VALUE));
  }

  @Override
  public RunConfig run() {
    return run;
  }

  @Override
  public String identity() {
    String muon = settings.muon() == null ? "" : "\nmuon: " + settings.muon();
    String lora = settings.lora() == null ? "" : "\nlora: " + settings.lora();
    return String.join(
        "\n",
        "transformer: " + architecture,
        "start_from: " + (start == null ? initialization : start.digest()),
        "text_encoder: " + text,
        "objective: " + settings.objective(),
        "optimizer: " + settings.adamW() + " clip " + settings.clip(),
        "learning rate: " + settings.learningRate(),
        "ema: " + settings.averageDecay(),
        "part_tokens: " + settings.partTokens(),
        "precision: " + settings.precision(),
        "seed: " + run.seed(),
        "steps: " + run.steps(),
        data.identity() + muon + lora);
  }

  @Override
  public Learner learner(Processes processes) throws IOException {
    try (Weights first =
        start == null
            ? initialization.weights(settings.architecture(), run.seed())
            : start.transformerWeights()) {
      JointText joint = jointText(first);
      if (settings.lora() != null) {
        settings.lora().addTo(first, settings.architecture(), run.seed());
      }
      Weights stored = tokenizerFile == null ? start.tokenizerWeights() : tokenizerFile.weights();
      return new TransformerTraining(
          settings, first, frozenParts(stored), trainedModel(stored, joint), processes);
    }
  }

  /** In float32, whatever the files hold: CPUs encode many times slower in half precision. */
  private FrozenParts frozenParts(Weights tokenizerWeights) {
    try (Weights floats = tokenizerWeights.to(run.device(), DType.F32)) {
      return new FrozenParts(
          textEncoder(),
          new VisualTokenizer(tokenizer, floats),
          settings.architecture().spatialPatchify(),
          run.device(),
          data.cache() == null ? null : new FeatureCache(data.cache(), tokenizerName()));
    }
  }

  private TrainedModel trainedModel(Weights tokenizerWeights, JointText joint) {
    return new TrainedModel(
        run.name(),
        run.description(),
        List.of(data.size()),
        new JsonObject(),
        architecture,
        SNAKE_CASE.toJsonTree(tokenizer).getAsJsonObject(),
        tokenizerWeights,
        joint != null ? joint.settings() : textSettings(),
        joint,
        start == null || joint != null ? List.of() : start.textFiles());
  }

  /** The encoder that does not learn: that of the start, or hashed words. */
  private TextEncoder textEncoder() {
    int channels = settings.architecture().textChannels();
    TextEncoder encoder =
        start == null
            ? new HashedWordEncoder(channels)
            : start.textEncoder(run.device(), run.precision());
    if (data.textCache() == null) {
      return encoder;
    }
    String name = start == null ? HASHED_WORDS + " " + channels : start.digest();
    return new StoredTextFeatures(
        encoder, new FeatureCache(data.textCache(), name + " " + run.precision()), run.device());
  }

  private JsonObject textSettings() {
    if (start != null) {
      return start.textEncoderSettings();
    }
    JsonObject encoder = new JsonObject();
    encoder.addProperty("type", HASHED_WORDS);
    return encoder;
  }

  /** Names the tokenizer in the feature cache. */
  private String tokenizerName() {
    return tokenizerFile == null ? start.digest() : tokenizerFile.identity();
  }

  @Override
  public TrainingRun.Data data() throws IOException {
    return data.open(run, tokenizerName());
  }
}
