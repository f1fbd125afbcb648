package io.bitloom.common.cli;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptEnums;
import io.bitloom.v1.Sampling;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options for how bits are drawn. */
@OptionRule(
    options = {"--temperature", "--top-p", "--top-k"},
    notWith = "--greedy")
public final class SamplingOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

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

  /** What was given; throws {@link ParameterException} for words that are not known. */
  public Sampling sampling() {
    Sampling.Builder sampling =
        Sampling.newBuilder()
            .addAllGuidance(guidance)
            .addAllGuidanceLayers(guidanceLayers)
            .addAllTemperature(temperature)
            .setGreedy(greedy);
    NamedValues.set(command, "--preset", PromptEnums.PRESET, preset, sampling::setPreset);
    NamedValues.set(
        command,
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
}
