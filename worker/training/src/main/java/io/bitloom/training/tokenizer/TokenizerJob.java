package io.bitloom.training.tokenizer;

import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.TokenizerFile;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.training.TrainingJob;
import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.OptimizerConfig;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.RunConfig;
import io.bitloom.training.run.TrainingData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A configuration file of {@code --mode train-tokenizer}. */
public final class TokenizerJob implements TrainingJob {
  private static final double LEARNING_RATE = 1e-4;

  private final ConfigFile file;
  private final RunConfig run;
  private final TokenizerRunConfig config;
  private final TokenizerFile start; // null for new weights
  private final TokenizerSettings settings;

  private TokenizerJob(ConfigFile file) {
    this.file = file;
    run = file.bind(RunConfig.class);
    config = file.bind(TokenizerRunConfig.class);
    String from = config.startFrom();
    start =
        from == null
            ? null
            : new TokenizerFile(ModelDirectory.builtIn(from).orElseGet(() -> file.path(from)));
    TokenizerConfig architecture = start == null ? newArchitecture() : architectureOfStart();
    OptimizerConfig optimizer = config.optimizer();
    settings =
        new TokenizerSettings(
            architecture,
            quantizer(architecture.codebookDim()),
            optimizer.adamW(),
            optimizer.muon(LEARNING_RATE),
            optimizer.rate(LEARNING_RATE),
            optimizer.clip(),
            optimizer.emaDecay(),
            config.partTokens(),
            config.data().size().scales(),
            config.reconstruction().squaredWeight(),
            config.adversarial().start(),
            config.adversarial().weight(),
            config.adversarial().width(),
            run.device(),
            config.freezeEncoder(),
            run.seed(),
            run.steps());
  }

  /**
   * Reads a configuration file.
   *
   * @throws io.bitloom.training.config.ConfigFileException naming file, line, field and value
   */
  public static TokenizerJob read(Path file) {
    return new TokenizerJob(
        ConfigFile.read(file, List.of(RunConfig.class, TokenizerRunConfig.class)));
  }

  private TokenizerConfig architectureOfStart() {
    if (config.tokenizer() != null) {
      throw file.fault("tokenizer", "is that of start_from, and cannot be given as well");
    }
    try {
      TokenizerConfig architecture = start.config();
      if (architecture.vectorQuantized()) {
        throw file.fault("start_from", start.path() + " is a VAR's, which cannot be trained here");
      }
      return architecture;
    } catch (IllegalArgumentException e) {
      throw file.fault("start_from", e.getMessage());
    }
  }

  private TokenizerConfig newArchitecture() {
    try {
      TokenizerConfig architecture =
          (config.tokenizer() == null
                  ? ConfigFile.defaults(TokenizerRunConfig.Architecture.class)
                  : config.tokenizer())
              .config();
      if (architecture.levels() <= architecture.halvings()) {
        throw file.fault(
            "tokenizer.ch_mult",
            "expected more than "
                + architecture.halvings()
                + " levels, found "
                + architecture.levels());
      }
      return architecture;
    } catch (IllegalArgumentException e) {
      throw file.fault("tokenizer", e.getMessage());
    }
  }

  private QuantizerConfig quantizer(int d) {
    QuantizerConfig.Kind kind = config.quantizer().kind();
    boolean codebook = kind == QuantizerConfig.Kind.VQ || kind == QuantizerConfig.Kind.RVQ;
    if (codebook && run.processes().count() > 1) {
      throw file.fault(
          "quantizer.kind",
          "a codebook is learnt by one process, found " + run.processes().count());
    }
    try {
      return config.quantizer().config(d);
    } catch (IllegalArgumentException e) {
      throw file.fault("quantizer", e.getMessage());
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
        "perceptual: " + config.perceptual(),
        config.data().identity());
  }

  @Override
  public Learner learner(Processes processes) {
    TokenizerRunConfig.Perceptual perceptual = config.perceptual();
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
  public TrainingData data() throws IOException {
    return new TrainingData(config.data(), run, null);
  }
}
