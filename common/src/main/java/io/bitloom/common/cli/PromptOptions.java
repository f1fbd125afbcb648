package io.bitloom.common.cli;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptEnums;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.v1.Prompt;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options for the fields of a prompt that may also be a job's defaults. */
public final class PromptOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      description = "Size class: 0.06M, 0.25M, 0.60M, 1M; of a VAR var256 or var512.")
  private String size = "";

  @Option(
      names = "--aspect-ratio",
      paramLabel = "W:H",
      description = "Width to height, such as 3:2; the nearest known shape is drawn.")
  private String aspectRatio;

  @Option(names = "--negative-prompt", paramLabel = "TEXT", description = "What is not wanted.")
  private String negativePrompt = "";

  @Option(
      names = "--enable-positive-prompt",
      negatable = true,
      description = "Add words for pleasant faces to texts that speak of people.")
  private Boolean positivePrompt;

  @Option(
      names = {"--num-images", "--n"},
      paramLabel = "N",
      description = "Images for each prompt, 1 to 16.")
  private Integer numImages;

  @Option(names = "--seed", paramLabel = "N", description = "The same seed gives the same images.")
  private Long seed;

  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "png (default), jpeg, webp or webp-lossless.")
  private String format;

  @Option(
      names = "--quality",
      paramLabel = "Q",
      description = "Of jpeg (default 95) and webp (default 90), 1 to 100.")
  private Integer quality;

  /** What was given, as the defaults of a job; throws {@link ParameterException} if it is bad. */
  public Prompt defaults() {
    Prompt defaults = given();
    require(PromptRules.defaults().checkDefaults(defaults));
    return defaults;
  }

  /** What was given, with a text; throws {@link ParameterException} if it is bad. */
  public Prompt prompt(String text) {
    Prompt prompt = given().toBuilder().setPrompt(text).build();
    require(PromptRules.defaults().check(prompt));
    return prompt;
  }

  /** Throws {@link ParameterException} with the first violation, in the words of the options. */
  public void require(List<FieldViolation> violations) {
    sampling.require(violations);
  }

  /**
   * Throws {@link ParameterException} if the size that was given is not one of a model's.
   *
   * @param sizes empty if they are not known
   */
  public void requireSize(String model, List<String> sizes) {
    if (!size.isEmpty() && !sizes.isEmpty() && !sizes.contains(size)) {
      throw new ParameterException(
          command.commandLine(), "--size " + PromptRules.notDrawn(size, model, sizes));
    }
  }

  private Prompt given() {
    Prompt.Builder prompt =
        Prompt.newBuilder()
            .setSize(size)
            .setNegativePrompt(negativePrompt)
            .setSampling(sampling.sampling());
    NamedValues.set(command, "--format", PromptEnums.FORMAT, format, prompt::setFormat);
    if (aspectRatio != null) {
      prompt.setAspectRatio(aspectRatio);
    }
    if (positivePrompt != null) {
      prompt.setEnablePositivePrompt(positivePrompt);
    }
    if (seed != null) {
      prompt.setSeed(seed);
    }
    if (numImages != null) {
      // Zero would mean "not given"; the rules refuse -1 as they would 0.
      prompt.setNumImages(numImages == 0 ? -1 : numImages);
    }
    if (quality != null) {
      prompt.setQuality(quality);
    }
    return prompt.build();
  }
}
