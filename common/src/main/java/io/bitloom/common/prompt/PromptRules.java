package io.bitloom.common.prompt;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SamplingPreset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** {@link ImagePromptRules} for prompts as they come over the wire. */
public final class PromptRules {

  public static final int MAX_IMAGES = ImagePromptRules.MAX_IMAGES;

  private final ImagePromptRules rules;

  /**
   * @param maxPromptCharacters Unicode characters that a text may have, {@code
   *     limits.prompt-characters}
   */
  public PromptRules(int maxPromptCharacters) {
    this(new ImagePromptRules(maxPromptCharacters));
  }

  private PromptRules(ImagePromptRules rules) {
    this.rules = rules;
  }

  /** The rules with the default limit of 4000 characters. */
  public static PromptRules defaults() {
    return new PromptRules(ImagePromptRules.defaults());
  }

  /**
   * A prompt with nothing left out, and what it will be drawn as.
   *
   * @param prompt every field is set; its values passed {@link #check}
   * @param schedule the schedule of the prompt's size with the nearest shape
   */
  public record Resolved(Prompt prompt, ScaleSchedule schedule) {}

  /** All that is wrong with a prompt on its own; needs neither job nor model. */
  public List<FieldViolation> check(Prompt prompt) {
    return withUnknownValues(prompt, rules.check(PromptMessages.prompt(prompt)));
  }

  /** All that is wrong with the defaults of a job. */
  public List<FieldViolation> checkDefaults(Prompt defaults) {
    return withUnknownValues(defaults, rules.checkDefaults(PromptMessages.prompt(defaults)));
  }

  /** Enums of a newer version may have values that this one has no name for. */
  private static List<FieldViolation> withUnknownValues(
      Prompt prompt, List<FieldViolation> violations) {
    List<FieldViolation> all = new ArrayList<>(violations);
    Sampling sampling = prompt.getSampling();
    if (prompt.getFormat() == ImageFormat.UNRECOGNIZED) {
      all.add(unknown("format", prompt.getFormatValue(), PromptEnums.FORMAT));
    }
    if (sampling.getGuidanceSchedule() == GuidanceSchedule.UNRECOGNIZED) {
      all.add(
          unknown(
              "sampling.guidance_schedule",
              sampling.getGuidanceScheduleValue(),
              PromptEnums.GUIDANCE_SCHEDULE));
    }
    if (sampling.getPreset() == SamplingPreset.UNRECOGNIZED) {
      all.add(unknown("sampling.preset", sampling.getPresetValue(), PromptEnums.PRESET));
    }
    return all;
  }

  private static FieldViolation unknown(String field, int value, PromptEnum<?> names) {
    return FieldViolation.of(field, value, "must be one of " + names.all());
  }

  /**
   * All that is wrong with a resolved prompt for the model that is to draw it: {@link
   * ImagePromptRules#check(ImagePromptRules.Resolved, String, Collection, int)}.
   */
  public static List<FieldViolation> check(
      Resolved resolved, String model, Collection<String> modelSizes, int modelBlocks) {
    return ImagePromptRules.check(
        new ImagePromptRules.Resolved(
            PromptMessages.prompt(resolved.prompt()), resolved.schedule()),
        model,
        modelSizes,
        modelBlocks);
  }

  /** Says that a model does not draw a size, and which it does draw. */
  public static String notDrawn(String size, String model, Collection<String> modelSizes) {
    return ImagePromptRules.notDrawn(size, model, modelSizes);
  }

  /**
   * Fills what the prompt leaves out: {@link ImagePromptRules#resolve}.
   *
   * @param job identity of the job; starts the default seed
   * @param offset the prompt's offset in its job; goes into the default custom_id and seed
   * @param modelSizes the model's sizes, its usual one first; at least one
   */
  public static Resolved resolve(
      Prompt prompt,
      Prompt jobDefaults,
      Prompt modelDefaults,
      List<String> modelSizes,
      String job,
      long offset) {
    ImagePromptRules.Resolved resolved =
        ImagePromptRules.resolve(
            PromptMessages.prompt(prompt),
            PromptMessages.prompt(jobDefaults),
            PromptMessages.prompt(modelDefaults),
            modelSizes,
            job,
            offset);
    return new Resolved(PromptMessages.message(resolved.prompt()), resolved.schedule());
  }

  /** A one-line text: no control characters. */
  public static void checkLabel(
      String field, String text, int maxCharacters, List<FieldViolation> violations) {
    ImagePromptRules.checkLabel(field, text, maxCharacters, violations);
  }
}
