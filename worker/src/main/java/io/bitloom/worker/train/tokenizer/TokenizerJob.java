package io.bitloom.worker.train.tokenizer;

import io.bitloom.worker.codes.QuantizerConfig;
import io.bitloom.worker.modeldir.TokenizerFile;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tokenizer.TokenizerConfig;
import io.bitloom.worker.train.TrainingJob;
import io.bitloom.worker.train.config.DataConfig;
import io.bitloom.worker.train.config.OptimizerConfig;
import io.bitloom.worker.train.config.RunConfig;
import io.bitloom.worker.train.config.YamlFields;
import io.bitloom.worker.train.distributed.Processes;
import io.bitloom.worker.train.run.Learner;
import io.bitloom.worker.train.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

/** A configuration file of {@code --mode train-tokenizer}. */
public final class TokenizerJob implements TrainingJob {
  private static final double LEARNING_RATE = 1e-4;

  private final RunConfig run;
  private final DataConfig data;
  private final TokenizerSettings settings;
  private final Perceptual perceptual; // null for none

  /**
   * The section {@code perceptual}.
   *
   * @param weight of the term
   * @param vgg weights of VGG16
   * @param heads weights of the linear heads; null where they lie in the same file, or nowhere
   */
  private record Perceptual(double weight, Path vgg, Path heads) {}

  private final TokenizerFile start; // null for new weights

  private TokenizerJob(YamlFields yaml) {
    run = RunConfig.of(yaml);
    data = DataConfig.of(yaml.section("data"));
    if (data.cache() != null || data.textCache() != null) {
      throw yaml.fault("data", "cache: a tokenizer that is being trained has no features to keep");
    }
    OptimizerConfig optimizer = OptimizerConfig.of(yaml.section("optimizer"), LEARNING_RATE);
    YamlFields adversarial = yaml.section("adversarial");
    start = yaml.has("start_from") ? new TokenizerFile(yaml.model("start_from")) : null;
    TokenizerConfig architecture = start == null ? architecture(yaml) : architecture(yaml, start);
    settings =
        new TokenizerSettings(
            architecture,
            quantizer(yaml, architecture.codebookDim()),
            optimizer.adamW(),
            optimizer.muon(),
            optimizer.learningRate(),
            optimizer.clip(),
            optimizer.averageDecay(),
            yaml.count("part_tokens", Integer.MAX_VALUE, 1),
            data.size().scales(),
            yaml.section("reconstruction").number("squared_weight", 0, 0, 1000),
            adversarial.count("start", 0, 0),
            adversarial.number("weight", 0, 0, 100),
            adversarial.count("width", 32, 1),
            run.device(),
            yaml.flag("freeze_encoder", false),
            run.seed(),
            run.steps());
    YamlFields term = yaml.section("perceptual");
    perceptual =
        yaml.has("perceptual")
            ? new Perceptual(
                term.number("weight", 1, 0, 100), term.path("vgg"), term.path("heads", null))
            : null;
    if (settings.freezeEncoder() && start == null) {
      throw yaml.fault("freeze_encoder", "there is no trained encoder to keep without start_from");
    }
    yaml.done();
  }

  /**
   * Reads a configuration file.
   *
   * @throws io.bitloom.worker.train.config.ConfigFileException naming file, line, field and value
   */
  public static TokenizerJob read(Path file) {
    return new TokenizerJob(YamlFields.read(file));
  }

  private static TokenizerConfig architecture(YamlFields yaml, TokenizerFile start) {
    if (yaml.has("tokenizer")) {
      throw yaml.fault("tokenizer", "is that of start_from, and cannot be given as well");
    }
    try {
      TokenizerConfig config = start.config();
      if (config.vectorQuantized()) {
        throw yaml.fault("start_from", start.path() + " is a VAR's, which cannot be trained here");
      }
      return config;
    } catch (IllegalArgumentException e) {
      throw yaml.fault("start_from", e.getMessage());
    }
  }

  private static TokenizerConfig architecture(YamlFields yaml) {
    YamlFields fields = yaml.section("tokenizer");
    try {
      TokenizerConfig config =
          new TokenizerConfig(
              fields.count("codebook_dim", 16, 1),
              fields.count("patch_size", 16, 1),
              fields.count("base_ch", 32, 1),
              fields.counts("ch_mult", List.of(1, 1, 2, 2, 2)),
              fields.count("num_res_blocks", 1, 1),
              0,
              fields.count("pixel_shuffle", 1, 1));
      if (config.levels() <= config.halvings()) {
        throw fields.fault(
            "ch_mult",
            "expected more than " + config.halvings() + " levels, found " + config.levels());
      }
      return config;
    } catch (IllegalArgumentException e) {
      throw yaml.fault("tokenizer", e.getMessage());
    }
  }

  private QuantizerConfig quantizer(YamlFields yaml, int d) {
    YamlFields fields = yaml.section("quantizer");
    QuantizerConfig.Kind kind = fields.choice("kind", QuantizerConfig.Kind.BSQ);
    QuantizerConfig usual = QuantizerConfig.of(kind, d);
    boolean codebook = kind == QuantizerConfig.Kind.VQ || kind == QuantizerConfig.Kind.RVQ;
    if (codebook && run.processes() > 1) {
      throw fields.fault("kind", "a codebook is learnt by one process, found " + run.processes());
    }
    try {
      return new QuantizerConfig(
          kind,
          d,
          fields.count("codebook_size", usual.codebookSize(), 2),
          kind == QuantizerConfig.Kind.FSQ
              ? fields.counts("levels", Collections.nCopies(d, 8))
              : List.of(),
          fields.number("entropy_weight", usual.entropyWeight(), 0, 100),
          fields.number("codebook_entropy_weight", usual.codebookEntropyWeight(), 0, 100),
          fields.number("commitment_weight", usual.commitmentWeight(), 0, 100),
          fields.number("inverse_temperature", usual.inverseTemperature(), 1e-6, 1e6),
          fields.number("decay", usual.decay(), 0, 1),
          fields.flag("single_scale", false));
    } catch (IllegalArgumentException e) {
      throw yaml.fault("quantizer", e.getMessage());
    }
  }

  @Override
  public RunConfig run() {
    return run;
  }

  @Override
  public String identity() {
    return String.join(
        "\n",
        "tokenizer: " + settings,
        "start_from: " + (start == null ? "" : start.identity()),
        "perceptual: " + perceptual,
        data.identity());
  }

  @Override
  public Learner learner(Processes processes) {
    PerceptualLoss loss =
        perceptual == null
            ? null
            : PerceptualLoss.read(
                perceptual.weight(), perceptual.vgg(), perceptual.heads(), run.device());
    try (Weights weights = start == null ? null : start.weights()) {
      return new TokenizerTraining(settings, weights, loss, processes);
    }
  }

  @Override
  public TrainingRun.Data data() throws IOException {
    return data.open(run, null);
  }
}
