package io.bitloom.training.transformer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.TokenizerFile;
import io.bitloom.engine.modeldir.WordEmbeddings;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.HashedWordEncoder;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.text.WordEmbeddingConfig;
import io.bitloom.engine.text.WordVocabulary;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.TrainingJob;
import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.data.FeatureCache;
import io.bitloom.training.data.StoredTextFeatures;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.OptimizerConfig;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.RunConfig;
import io.bitloom.training.run.TrainingData;
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

  private static final Gson SNAKE_CASE =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .create();

  private final ConfigFile file;
  private final RunConfig run;
  private final TransformerRunConfig config;
  private final ModelDirectory start; // null for new weights
  private final TokenizerFile tokenizerFile; // null where the tokenizer is that of the start
  private final TokenizerConfig tokenizer;
  private final JsonObject architecture;
  private final TransformerSettings settings;
  private final TextSettings text;

  private TransformerJob(ConfigFile file) {
    this.file = file;
    run = file.bind(RunConfig.class);
    config = file.bind(TransformerRunConfig.class);
    start =
        config.startFrom() == null
            ? null
            : ModelDirectory.open(model(config.startFrom()).toString());
    if (start == null && config.tokenizer() == null) {
      throw file.fault("tokenizer", "is missing");
    }
    tokenizerFile =
        config.tokenizer() == null ? null : new TokenizerFile(model(config.tokenizer()));
    tokenizer = tokenizer();
    architecture = architecture();
    settings = settings();
    text = text(config.textEncoder());
  }

  /**
   * Reads a configuration file.
   *
   * @throws io.bitloom.training.config.ConfigFileException naming file, line, field and value
   */
  public static TransformerJob read(Path file) {
    return new TransformerJob(
        ConfigFile.read(file, List.of(RunConfig.class, TransformerRunConfig.class)));
  }

  private Path model(String name) {
    return ModelDirectory.builtIn(name).orElseGet(() -> file.path(name));
  }

  private TokenizerConfig tokenizer() {
    if (tokenizerFile == null) {
      return start.tokenizer();
    }
    try {
      QuantizerConfig quantizer = tokenizerFile.quantizer();
      requireOfTokenizer(
          quantizer.kind() == QuantizerConfig.Kind.BSQ, "BSQ", quantizer.kind().toString());
      requireOfTokenizer(!quantizer.singleScale(), "all scales", "single_scale: true");
      requireOfTokenizer(!tokenizerFile.config().vectorQuantized(), "BSQ", "a VAR's");
      return tokenizerFile.config();
    } catch (IllegalArgumentException e) {
      throw file.fault("tokenizer", e.getMessage());
    }
  }

  private void requireOfTokenizer(boolean holds, String expected, String found) {
    if (!holds) {
      throw file.fault(
          "tokenizer",
          tokenizerFile.path() + ": expected one with " + expected + ", found " + found);
    }
  }

  private TextSettings text(TransformerRunConfig.Text fields) {
    TextSettings found = start == null ? newText(fields) : textOfStart(fields);
    if (found.learns() && config.data().textCache() != null) {
      throw file.fault("data.text_cache", "features of an encoder that learns do not last");
    }
    return found;
  }

  private TextSettings newText(TransformerRunConfig.Text fields) {
    fields.refuse(file, "learn", fields.learn(), "is for the encoder of start_from");
    if (fields.type() != TransformerRunConfig.TextType.WORD_EMBEDDINGS) {
      String why = "is for type: word_embeddings only";
      fields.refuseNewWords(file, why);
      fields.refuse(file, "relative_buckets", fields.relativeBuckets(), why);
      return TextSettings.FROZEN;
    }
    try {
      return new TextSettings(
          true,
          new NewText(
              fields.words(),
              new WordEmbeddingConfig(
                  settings.architecture().textChannels(),
                  fields.blocks(),
                  fields.heads(),
                  settings.architecture().textMaxLength(),
                  fields.buckets())),
          0);
    } catch (IllegalArgumentException e) {
      throw file.fault("text_encoder", e.getMessage());
    }
  }

  private TextSettings textOfStart(TransformerRunConfig.Text fields) {
    fields.refuse(file, "type", fields.type(), "is that of start_from");
    fields.refuseNewWords(file, "is that of start_from");
    if (!Boolean.TRUE.equals(fields.learn())) {
      fields.refuse(file, "relative_buckets", fields.relativeBuckets(), "needs learn: true");
      return TextSettings.FROZEN;
    }
    if (!start.textEncoderType().equals(WORD_EMBEDDINGS)) {
      throw file.fault(
          "text_encoder.learn",
          "only word embeddings can, and start_from has " + start.textEncoderType());
    }
    if (settings.lora() != null) {
      throw file.fault(
          "text_encoder.learn", "not with lora, which changes the transformer's blocks alone");
    }
    return new TextSettings(true, null, newPositions(fields.buckets()));
  }

  /** Relative positions with which the attention of the start's encoder begins anew; 0 for none. */
  private int newPositions(int buckets) {
    try {
      start.wordEmbeddings().config().withRelativeBuckets(buckets);
      return buckets;
    } catch (IllegalArgumentException e) {
      throw file.fault("text_encoder.relative_buckets", e.getMessage());
    }
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
      WordVocabulary.ofTexts(TrainingData.captions(config.data()), words).write(unfinished);
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return WordVocabulary.read(file);
  }

  private JsonObject architecture() {
    if (start == null) {
      return config.architecture();
    }
    if (config.transformer() != null) {
      throw file.fault("transformer", "is that of start_from, and cannot be given as well");
    }
    if (start.transformer().square() != null) {
      throw file.fault("start_from", "class-conditional models cannot be trained further");
    }
    return start.transformerSettings();
  }

  private InfinityConfig parsed() {
    boolean patchify = tokenizer.patchSize() < ScaleSchedule.PIXELS_PER_TOKEN;
    try {
      return InfinityConfig.parse(architecture, (patchify ? 4 : 1) * tokenizer.codebookDim());
    } catch (IllegalArgumentException e) {
      throw file.fault("transformer", e.getMessage());
    }
  }

  private TransformerSettings settings() {
    InfinityConfig model = parsed();
    if (config.objective().weighBits() && !model.bitLabels()) {
      throw file.fault("objective.weigh_bits", "use_bit_label is off, so there are none");
    }
    OptimizerConfig optimizer = config.optimizer();
    return new TransformerSettings(
        model,
        config.objective(),
        optimizer.adamW(),
        optimizer.muon(LEARNING_RATE),
        optimizer.rate(LEARNING_RATE),
        optimizer.clip(),
        optimizer.emaDecay(),
        config.exportEma(),
        config.partTokens(),
        config.recompute(),
        run.device(),
        run.precision(),
        run.seed(),
        run.steps(),
        config.prompts(),
        config.lora() == null ? null : lora(config.lora(), model));
  }

  private Lora lora(TransformerRunConfig.LowRankChanges changes, InfinityConfig model) {
    if (start == null) {
      throw file.fault("lora", "changes a model, which start_from has to name");
    }
    if (config.optimizer().type() == OptimizerConfig.Type.MUON) {
      throw file.fault("lora", "is learnt by AdamW: Muon is for whole matrices");
    }
    try {
      Lora lora = new Lora(changes.rank(), changes.alpha(), changes.targets(), start.digest());
      lora.layers(model);
      return lora;
    } catch (IllegalArgumentException e) {
      throw file.fault("lora", e.getMessage());
    }
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
        "start_from: " + (start == null ? config.initialization() : start.digest()),
        "text_encoder: " + text,
        "objective: " + settings.objective(),
        "optimizer: " + settings.adamW() + " clip " + settings.clip(),
        "learning rate: " + settings.learningRate(),
        "ema: " + settings.averageDecay(),
        "part_tokens: " + settings.partTokens(),
        "precision: " + settings.precision(),
        "seed: " + run.seed(),
        "steps: " + run.steps(),
        config.data().identity() + muon + lora);
  }

  @Override
  public Learner learner(Processes processes) throws IOException {
    try (Weights first =
        start == null
            ? config.initialization().weights(settings.architecture(), run.seed())
            : start.transformerWeights()) {
      JointText joint = jointText(first);
      if (settings.lora() != null) {
        settings.lora().addTo(first, settings.architecture(), run.seed());
      }
      Weights stored = tokenizerFile == null ? start.tokenizerWeights() : tokenizerFile.weights();
      FeatureCache cache =
          config.data().cache() == null
              ? null
              : new FeatureCache(config.data().cache(), tokenizerName());
      return new TransformerTraining(
          settings,
          first,
          textEncoder(),
          tokenizer(stored),
          cache,
          trainedModel(stored, joint),
          processes);
    }
  }

  /** In float32, whatever the files hold: CPUs encode many times slower in half precision. */
  private VisualTokenizer tokenizer(Weights stored) {
    try (Weights floats = stored.to(run.device(), DType.F32)) {
      return new VisualTokenizer(tokenizer, floats);
    }
  }

  private TrainedModel trainedModel(Weights tokenizerWeights, JointText joint) {
    return new TrainedModel(
        run.name(),
        run.description(),
        List.of(config.data().size()),
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
    if (config.data().textCache() == null) {
      return encoder;
    }
    String name = start == null ? HASHED_WORDS + " " + channels : start.digest();
    return new StoredTextFeatures(
        encoder,
        new FeatureCache(config.data().textCache(), name + " " + run.precision()),
        run.device());
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
  public TrainingData data() throws IOException {
    return new TrainingData(config.data(), run, tokenizerName());
  }
}
