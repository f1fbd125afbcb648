package io.bitloom.client.cli;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What holds for prompts that do not say it themselves. */
final class PromptOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(names = "--model", paramLabel = "NAME", description = "The model that draws.")
  private String model = "";

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      description = "Size class: 0.06M, 0.25M, 0.60M or 1M.")
  private String size = "";

  @Option(
      names = "--aspect-ratio",
      paramLabel = "W:H",
      description = "Width to height, such as 3:2.")
  private String aspectRatio;

  @Option(names = "--negative-prompt", paramLabel = "TEXT", description = "What is not wanted.")
  private String negativePrompt = "";

  @Option(
      names = "--guidance",
      paramLabel = "G",
      split = ",",
      description = "Guidance, 1 (off) to 30; several values: one per scale.")
  private List<Double> guidance = List.of();

  @Option(
      names = "--temperature",
      paramLabel = "T",
      split = ",",
      description = "Temperature, above 0 to 10; several values: one per scale.")
  private List<Double> temperature = List.of();

  @Option(names = "--top-p", paramLabel = "P", description = "Nucleus sampling, above 0 to 1.")
  private Double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of every prompt; default: each its own.")
  private Long seed;

  @Option(names = "--num-images", paramLabel = "N", description = "Images for each prompt.")
  private Integer numImages;

  @Option(names = "--format", paramLabel = "FORMAT", description = "png or jpeg.")
  private String format;

  /** The model's name; empty if the coordinator is to choose. */
  String model() {
    return model;
  }

  /** The defaults of a job; throws {@link ParameterException} for a bad one. */
  Prompt defaults() {
    Sampling.Builder sampling =
        Sampling.newBuilder().addAllGuidance(guidance).addAllTemperature(temperature);
    if (topP != null) {
      sampling.setTopP(topP);
    }
    Prompt.Builder defaults =
        Prompt.newBuilder()
            .setSize(size)
            .setNegativePrompt(negativePrompt)
            .setSampling(sampling)
            .setFormat(imageFormat());
    if (aspectRatio != null) {
      defaults.setAspectRatio(aspectRatio);
    }
    if (seed != null) {
      defaults.setSeed(seed);
    }
    if (numImages != null) {
      // Zero would mean "not given"; the rules refuse -1 as they would 0.
      defaults.setNumImages(numImages == 0 ? -1 : numImages);
    }
    List<FieldViolation> violations = PromptRules.defaults().checkDefaults(defaults.build());
    if (!violations.isEmpty()) {
      throw new ParameterException(command.commandLine(), asOption(violations.get(0)));
    }
    return defaults.build();
  }

  private ImageFormat imageFormat() {
    if (format == null) {
      return ImageFormat.IMAGE_FORMAT_UNSPECIFIED;
    }
    return switch (format) {
      case "png" -> ImageFormat.IMAGE_FORMAT_PNG;
      case "jpeg" -> ImageFormat.IMAGE_FORMAT_JPEG;
      default ->
          throw new ParameterException(
              command.commandLine(), "--format must be png or jpeg, not \"" + format + '"');
    };
  }

  private static String asOption(FieldViolation violation) {
    return "--" + violation.toString().replace("sampling.", "").replaceFirst("_", "-");
  }
}
