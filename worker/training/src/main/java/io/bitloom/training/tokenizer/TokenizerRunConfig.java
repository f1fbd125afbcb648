package io.bitloom.training.tokenizer;

import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.config.FieldFault;
import io.bitloom.training.data.DataConfig;
import io.bitloom.training.optim.OptimizerConfig;
import java.nio.file.Path;
import java.util.List;

/**
 * The fields of a configuration file of {@code --mode train-tokenizer}, besides those of {@link
 * io.bitloom.training.run.RunConfig}.
 *
 * @param startFrom model directory, built-in model or file to start from; null for new weights
 * @param freezeEncoder whether only the decoder learns, so that pictures keep their bits
 * @param tokenizer the architecture; null for that of the start, or the usual one
 * @param quantizer between encoder and decoder
 * @param reconstruction weights of the reconstruction
 * @param adversarial the patch discriminator
 * @param perceptual the perceptual term; null for none
 * @param optimizer which moves the weights
 * @param data what is trained on
 * @param partTokens tokens that go through the networks at a time
 */
public record TokenizerRunConfig(
    @ConfigField String startFrom,
    @ConfigField("false") boolean freezeEncoder,
    Architecture tokenizer,
    Quantizer quantizer,
    Reconstruction reconstruction,
    Adversarial adversarial,
    Perceptual perceptual,
    OptimizerConfig optimizer,
    DataConfig data,
    @ConfigField(value = "2147483647", least = 1) int partTokens) {

  /**
   * Fills in the sections that are not there.
   *
   * @throws FieldFault if {@code data} is not there, or a field does not fit the others
   */
  public TokenizerRunConfig {
    if (data == null) {
      throw new FieldFault("data.path", "is missing");
    }
    String keeps = "a tokenizer that is being trained has no features to keep";
    if (data.cache() != null) {
      throw new FieldFault("data.cache", keeps);
    }
    if (data.textCache() != null) {
      throw new FieldFault("data.text_cache", keeps);
    }
    if (freezeEncoder && startFrom == null) {
      throw new FieldFault(
          "freeze_encoder", "there is no trained encoder to keep without start_from");
    }
    quantizer = quantizer == null ? ConfigFile.defaults(Quantizer.class) : quantizer;
    reconstruction =
        reconstruction == null ? ConfigFile.defaults(Reconstruction.class) : reconstruction;
    adversarial = adversarial == null ? ConfigFile.defaults(Adversarial.class) : adversarial;
    optimizer = optimizer == null ? ConfigFile.defaults(OptimizerConfig.class) : optimizer;
  }

  /**
   * The section {@code tokenizer}: the architecture, as in {@link TokenizerConfig}.
   *
   * @param codebookDim latent channels
   * @param patchSize pixels per feature side
   * @param baseCh channels of the first level
   * @param chMult channels of the levels, as multiples
   * @param numResBlocks residual blocks per level
   * @param pixelShuffle pixels that the networks see as one, per side
   */
  public record Architecture(
      @ConfigField(value = "16", least = 1) int codebookDim,
      @ConfigField(value = "16", least = 1) int patchSize,
      @ConfigField(value = "32", least = 1) int baseCh,
      List<Integer> chMult,
      @ConfigField(value = "1", least = 1) int numResBlocks,
      @ConfigField(value = "1", least = 1) int pixelShuffle) {
    private static final List<Integer> MULTIPLES = List.of(1, 1, 2, 2, 2);

    /** Fills in the channels. */
    public Architecture {
      chMult = chMult == null ? MULTIPLES : List.copyOf(chMult);
    }

    /**
     * The architecture.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    TokenizerConfig config() {
      return new TokenizerConfig(
          codebookDim, patchSize, baseCh, chMult, numResBlocks, 0, pixelShuffle);
    }
  }

  /**
   * The section {@code quantizer}. Null is what is not there: what is usual for the kind.
   *
   * @param kind of the quantizer
   * @param codebookSize as those that follow, see {@link QuantizerConfig}
   * @param levels for FSQ alone
   * @param entropyWeight weight in the loss
   * @param codebookEntropyWeight weight in the loss
   * @param commitmentWeight weight in the loss
   * @param inverseTemperature sharpness of the soft assignment
   * @param decay of the codebook's moving averages
   * @param singleScale whether only the last scale is quantized
   */
  public record Quantizer(
      @ConfigField("bsq") QuantizerConfig.Kind kind,
      @ConfigField(least = 2) Integer codebookSize,
      List<Integer> levels,
      @ConfigField(most = 100) Double entropyWeight,
      @ConfigField(most = 100) Double codebookEntropyWeight,
      @ConfigField(most = 100) Double commitmentWeight,
      @ConfigField(least = 1e-6, most = 1e6) Double inverseTemperature,
      @ConfigField(most = 1) Double decay,
      @ConfigField("false") boolean singleScale) {
    /**
     * @throws FieldFault if there are levels, and no FSQ
     */
    public Quantizer {
      if (levels != null && kind != QuantizerConfig.Kind.FSQ) {
        throw new FieldFault("levels", "is for kind: fsq only");
      }
    }

    /**
     * The quantizer.
     *
     * @param d channels of a feature
     * @throws IllegalArgumentException if a value is out of range
     */
    QuantizerConfig config(int d) {
      QuantizerConfig usual = QuantizerConfig.of(kind, d);
      return new QuantizerConfig(
          kind,
          d,
          or(codebookSize, usual.codebookSize()),
          kind == QuantizerConfig.Kind.FSQ ? or(levels, usual.levels()) : List.of(),
          or(entropyWeight, usual.entropyWeight()),
          or(codebookEntropyWeight, usual.codebookEntropyWeight()),
          or(commitmentWeight, usual.commitmentWeight()),
          or(inverseTemperature, usual.inverseTemperature()),
          or(decay, usual.decay()),
          singleScale);
    }

    private static <T> T or(T value, T usual) {
      return value == null ? usual : value;
    }
  }

  /**
   * The section {@code reconstruction}.
   *
   * @param squaredWeight weight of the mean squared error, beside the L1 distance's 1
   */
  public record Reconstruction(@ConfigField(value = "0", most = 1000) double squaredWeight) {}

  /**
   * The section {@code adversarial}.
   *
   * @param weight of the discriminator's verdict in the loss; 0 for no discriminator
   * @param start step at which the discriminator joins
   * @param width channels of the discriminator's first layer
   */
  public record Adversarial(
      @ConfigField(value = "0", most = 100) double weight,
      @ConfigField("0") int start,
      @ConfigField(value = "32", least = 1) int width) {}

  /**
   * The section {@code perceptual}.
   *
   * @param weight of the term
   * @param vgg weights of VGG16
   * @param heads weights of the linear heads; null where they lie in the same file, or nowhere
   */
  public record Perceptual(
      @ConfigField(value = "1", most = 100) double weight,
      @ConfigField(required = true) Path vgg,
      @ConfigField Path heads) {}
}
