package io.bitloom.common.cli;

import com.google.protobuf.ProtocolMessageEnum;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.EnumNames;
import io.bitloom.common.prompt.PromptEnums;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
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

  @Option(
      names = "--preset",
      paramLabel = "PRESET",
      description = "quality (the paper's parameters) or fast; the options below override it.")
  private String preset;

  @Option(
      names = "--guidance",
      paramLabel = "G",
      split = ",",
      description = "Guidance, 1 (off) to 30; several values: one per scale.")
  private List<Double> guidance = List.of();

  @Option(
      names = "--guidance-schedule",
      paramLabel = "HOW",
      description = "constant, or pyramid: from 1 at the first scale to G at the last.")
  private String guidanceSchedule;

  @Option(
      names = "--guidance-layers",
      paramLabel = "L",
      split = ",",
      description = "Where guidance acts: 0 on the logits, -n on the n-th last block's output.")
  private List<Integer> guidanceLayers = List.of();

  @Option(
      names = "--temperature",
      paramLabel = "T",
      split = ",",
      description = "Temperature, above 0 to 10; several values: one per scale.")
  private List<Double> temperature = List.of();

  @Option(names = "--top-p", paramLabel = "P", description = "Nucleus sampling, above 0 to 1.")
  private Double topP;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Only the K likeliest entries of a codebook can be drawn; 0: all.")
  private Integer topK;

  @Option(names = "--greedy", description = "Take the likelier state of every bit.")
  private boolean greedy;

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
    if (!violations.isEmpty()) {
      FieldViolation first = violations.get(0);
      String field = first.field().replace("sampling.", "");
      String name = field.equals("prompt") ? "PROMPT" : "--" + field.replace('_', '-');
      throw new ParameterException(
          command.commandLine(),
          new FieldViolation(name, first.value(), first.message()).toString());
    }
  }

  private Prompt given() {
    Prompt.Builder prompt =
        Prompt.newBuilder().setSize(size).setNegativePrompt(negativePrompt).setSampling(sampling());
    named("--format", PromptEnums.FORMAT, format, prompt::setFormat);
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

  private Sampling sampling() {
    Sampling.Builder sampling =
        Sampling.newBuilder()
            .addAllGuidance(guidance)
            .addAllGuidanceLayers(guidanceLayers)
            .addAllTemperature(temperature)
            .setGreedy(greedy);
    named("--preset", PromptEnums.PRESET, preset, sampling::setPreset);
    named(
        "--guidance-schedule",
        PromptEnums.GUIDANCE_SCHEDULE,
        guidanceSchedule,
        sampling::setGuidanceSchedule);
    if (topP != null) {
      sampling.setTopP(topP);
    }
    if (topK != null) {
      sampling.setTopK(topK);
    }
    return sampling.build();
  }

  private <E extends ProtocolMessageEnum> void named(
      String option, EnumNames<E> names, String given, Consumer<E> set) {
    if (given != null) {
      set.accept(
          names
              .find(given.toLowerCase(Locale.ROOT))
              .orElseThrow(
                  () ->
                      new ParameterException(
                          command.commandLine(),
                          option + " must be one of " + names.all() + ", not \"" + given + '"')));
    }
  }
}
