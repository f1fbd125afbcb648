package io.bitloom.common.rules;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What a prompt may be and what it means: checks every field, fills what was left out (from the
 * job's defaults, then the model's, then {@link #BUILT_IN}) and picks the scale schedule.
 */
public final class ImagePromptRules {

  public static final int MAX_CUSTOM_ID_CHARACTERS = 256;
  public static final int MAX_IMAGES = 16;
  public static final int MAX_QUALITY = 100;

  /** What holds where prompt, job and model say nothing: the official inference defaults. */
  public static final ImagePrompt BUILT_IN =
      ImagePrompt.builder("")
          .aspectRatio("1:1")
          .sampling(
              SamplingParameters.builder()
                  .guidance(4)
                  .guidanceLayers(List.of(0))
                  .temperature(0.5)
                  .topP(0.97)
                  .build())
          .numImages(1)
          .format(ImagePrompt.Format.PNG)
          .build();

  private final int maxPromptCharacters;

  /**
   * @param maxPromptCharacters Unicode characters that a text may have, {@code
   *     limits.prompt-characters}
   */
  public ImagePromptRules(int maxPromptCharacters) {
    this.maxPromptCharacters = maxPromptCharacters;
  }

  /** The rules with the default limit of 4000 characters. */
  public static ImagePromptRules defaults() {
    return new ImagePromptRules(4000);
  }

  /**
   * A prompt with nothing left out, and what it will be drawn as.
   *
   * @param prompt every field is set; its values passed {@link #check}
   * @param schedule the schedule of the prompt's size with the nearest shape
   */
  public record Resolved(ImagePrompt prompt, ScaleSchedule schedule) {}

  /** All that is wrong with a prompt on its own; needs neither job nor model. */
  public List<FieldViolation> check(ImagePrompt prompt) {
    List<FieldViolation> violations = new ArrayList<>();
    if (PromptText.normalised(prompt.text()).isBlank()) {
      violations.add(FieldViolation.of("prompt", prompt.text(), "must not be empty"));
    }
    checkText("prompt", prompt.text(), maxPromptCharacters, violations);
    checkLabel("custom_id", prompt.customId(), MAX_CUSTOM_ID_CHARACTERS, violations);
    checkShared(prompt, violations);
    return violations;
  }

  /** All that is wrong with the defaults of a job. */
  public List<FieldViolation> checkDefaults(ImagePrompt defaults) {
    List<FieldViolation> violations = new ArrayList<>();
    mustBeEmpty("prompt", defaults.text(), violations);
    mustBeEmpty("custom_id", defaults.customId(), violations);
    checkShared(defaults, violations);
    return violations;
  }

  /**
   * All that is wrong with a resolved prompt for the model that is to draw it: sizes that it does
   * not draw, shapes that the size does not have, lists whose length is not that of the schedule,
   * layers that it does not have.
   *
   * @param model its name; empty if that is not known
   * @param modelBlocks blocks of its transformer; 0 if that is not known
   */
  public static List<FieldViolation> check(
      Resolved resolved, String model, Collection<String> modelSizes, int modelBlocks) {
    List<FieldViolation> violations = new ArrayList<>();
    String size = resolved.prompt().size();
    if (!modelSizes.contains(size)) {
      violations.add(FieldViolation.of("size", size, notDrawn(size, model, modelSizes)));
    }
    checkShape(resolved, violations);
    violations.addAll(
        SamplingRules.check(resolved.prompt().sampling(), resolved.schedule(), modelBlocks));
    return violations;
  }

  /** Says that a model does not draw a size, and which it does draw. */
  public static String notDrawn(String size, String model, Collection<String> modelSizes) {
    return size
        + " is not drawn by "
        + (model.isEmpty() ? "the model" : "model " + model)
        + ", which draws "
        + String.join(", ", modelSizes);
  }

  /** A shape that the size does not have is an error: nobody who asked for 3:2 wants a square. */
  private static void checkShape(Resolved resolved, List<FieldViolation> violations) {
    ImagePrompt prompt = resolved.prompt();
    SizeClass size = resolved.schedule().size();
    if (!ScaleSchedules.nearest(hDivW(prompt)).has(size)) {
      violations.add(
          FieldViolation.of(
              prompt.hDivW() != null ? "h_div_w" : "aspect_ratio",
              prompt.hDivW() != null ? prompt.hDivW() : prompt.aspectRatio(),
              "must be square: " + size + " has no other shape"));
    }
  }

  /**
   * Fills what the prompt leaves out, the first of these that says something: the prompt, the job's
   * defaults, the model's, {@link #BUILT_IN}. A missing size is the first of the model's. Texts are
   * normalised: {@link PromptText}. All inputs must have passed their check.
   *
   * @param job identity of the job; starts the default seed
   * @param offset the prompt's offset in its job; goes into the default custom_id and seed
   * @param modelSizes the model's sizes, its usual one first; at least one
   */
  public static Resolved resolve(
      ImagePrompt prompt,
      ImagePrompt jobDefaults,
      ImagePrompt modelDefaults,
      List<String> modelSizes,
      String job,
      long offset) {
    ImagePrompt filled = prompt;
    for (ImagePrompt defaults : List.of(jobDefaults, modelDefaults, BUILT_IN)) {
      filled = filled(filled, defaults);
    }
    ImagePrompt.Builder resolved =
        filled.toBuilder()
            .text(PromptText.normalised(filled.text()))
            .negativePrompt(PromptText.normalised(filled.negativePrompt()));
    String size = filled.size().isEmpty() ? modelSizes.get(0) : filled.size();
    resolved.size(size);
    if (filled.customId().isEmpty()) {
      resolved.customId("prompt-" + offset);
    }
    if (filled.seed() == null) {
      resolved.seed(defaultSeed(job, offset));
    }
    ScaleSchedule schedule = schedule(size, filled);
    int scales = schedule.scales().size();
    resolved.sampling(
        SamplingRules.resolve(
            List.of(
                prompt.sampling(),
                jobDefaults.sampling(),
                SamplingRules.fitted(modelDefaults.sampling(), scales),
                BUILT_IN.sampling()),
            scales));
    return new Resolved(resolved.build(), schedule);
  }

  /** The schedule of the prompt's size with the nearest shape; both must be set and valid. */
  public static ScaleSchedule schedule(ImagePrompt prompt) {
    return schedule(prompt.size(), prompt);
  }

  private static ScaleSchedule schedule(String size, ImagePrompt shape) {
    return ScaleSchedules.nearest(hDivW(shape), SizeClass.find(size).orElseThrow());
  }

  private static double hDivW(ImagePrompt prompt) {
    return prompt.hDivW() != null
        ? prompt.hDivW()
        : AspectRatio.parse(prompt.aspectRatio()).orElseThrow().hDivW();
  }

  /**
   * A seed that differs between jobs and offsets and is the same however often a prompt is tried:
   * 53 bits, so that every JSON reader keeps it, of the finaliser of SplitMix64.
   */
  static long defaultSeed(String job, long offset) {
    long z = 0;
    for (int i = 0; i < job.length(); i++) {
      z = 31 * z + job.charAt(i);
    }
    z = z * 0x9E3779B97F4A7C15L + (offset + 1) * 0xD1B54A32D192ED03L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (z ^ (z >>> 31)) >>> 11;
  }

  private static ImagePrompt filled(ImagePrompt given, ImagePrompt defaults) {
    boolean shapeless = given.aspectRatio() == null && given.hDivW() == null;
    return new ImagePrompt(
        given.customId(),
        given.text(),
        filled(given.negativePrompt(), defaults.negativePrompt()),
        filled(given.enablePositivePrompt(), defaults.enablePositivePrompt()),
        shapeless ? defaults.aspectRatio() : given.aspectRatio(),
        shapeless ? defaults.hDivW() : given.hDivW(),
        filled(given.size(), defaults.size()),
        filled(given.seed(), defaults.seed()),
        given.sampling(),
        filled(given.numImages(), defaults.numImages()),
        filled(given.format(), defaults.format()),
        filled(given.quality(), defaults.quality()));
  }

  private static <T> T filled(T given, T defaults) {
    return given == null || "".equals(given) ? defaults : given;
  }

  private void checkShared(ImagePrompt prompt, List<FieldViolation> violations) {
    checkText("negative_prompt", prompt.negativePrompt(), maxPromptCharacters, violations);
    checkRatio(prompt, violations);
    if (!prompt.size().isEmpty() && SizeClass.find(prompt.size()).isEmpty()) {
      violations.add(
          FieldViolation.of("size", prompt.size(), "must be one of " + SizeClass.labels()));
    }
    if (prompt.numImages() != null && (prompt.numImages() < 1 || prompt.numImages() > MAX_IMAGES)) {
      violations.add(
          FieldViolation.of("num_images", prompt.numImages(), "must be 1 to " + MAX_IMAGES));
    }
    if (prompt.quality() != null && (prompt.quality() < 1 || prompt.quality() > MAX_QUALITY)) {
      violations.add(FieldViolation.of("quality", prompt.quality(), "must be 1 to 100"));
    }
    SamplingRules.check(prompt.sampling(), violations);
  }

  /** Who asks for a strip of 30:1 does not want 3:1, the widest shape that there is. */
  private static void checkRatio(ImagePrompt prompt, List<FieldViolation> violations) {
    if (prompt.aspectRatio() != null) {
      Optional<AspectRatio> ratio = AspectRatio.parse(prompt.aspectRatio());
      if (ratio.isEmpty()) {
        violations.add(
            FieldViolation.of(
                "aspect_ratio",
                prompt.aspectRatio(),
                "must be width:height with positive numbers, such as 16:9"));
      } else if (!ScaleSchedules.covers(ratio.get().hDivW())) {
        violations.add(
            FieldViolation.of(
                "aspect_ratio", prompt.aspectRatio(), "must be " + AspectRatio.range()));
      }
    }
    if (prompt.hDivW() != null && !ScaleSchedules.covers(prompt.hDivW())) {
      violations.add(
          FieldViolation.of(
              "h_div_w",
              prompt.hDivW(),
              "must be a number between "
                  + ScaleSchedules.flattest().key()
                  + " and "
                  + ScaleSchedules.tallest().key()));
    }
  }

  private static void mustBeEmpty(String field, String value, List<FieldViolation> violations) {
    if (!value.isEmpty()) {
      violations.add(FieldViolation.of(field, value, "must be empty in the defaults of a job"));
    }
  }

  /** A text for models; its control characters will be spaces. */
  private static void checkText(
      String field, String text, int maxCharacters, List<FieldViolation> violations) {
    checkCharacters(field, text, maxCharacters, true, violations);
  }

  /** A one-line text: no control characters. */
  public static void checkLabel(
      String field, String text, int maxCharacters, List<FieldViolation> violations) {
    checkCharacters(field, text, maxCharacters, false, violations);
  }

  private static void checkCharacters(
      String field,
      String text,
      int maxCharacters,
      boolean controlsAllowed,
      List<FieldViolation> violations) {
    if (text.length() > maxCharacters && text.codePointCount(0, text.length()) > maxCharacters) {
      violations.add(
          FieldViolation.of(
              field,
              text.codePointCount(0, text.length()) + " characters",
              "must have at most " + maxCharacters + " characters"));
      return;
    }
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
        violations.add(FieldViolation.of(field, text, "must be valid Unicode"));
        return;
      }
      if (Character.isISOControl(c) && !controlsAllowed) {
        violations.add(FieldViolation.of(field, text, "must not have control characters"));
        return;
      }
      i += Character.charCount(c);
    }
  }
}
