package io.bitloom.common.prompt;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptOrBuilder;
import io.bitloom.v1.Sampling;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What a prompt may be and what it means: checks every field, fills what was left out (from the
 * job's defaults, then the model's, then {@link #BUILT_IN}) and picks the scale schedule.
 */
public final class PromptRules {

  public static final int MAX_CUSTOM_ID_CHARACTERS = 256;
  public static final int MAX_IMAGES = 16;
  public static final int MAX_QUALITY = 100;

  /** What holds where prompt, job and model say nothing: the official inference defaults. */
  public static final Prompt BUILT_IN =
      Prompt.newBuilder()
          .setAspectRatio("1:1")
          .setSampling(
              Sampling.newBuilder()
                  .addGuidance(4)
                  .addGuidanceLayers(0)
                  .addTemperature(0.5)
                  .setTopP(0.97))
          .setNumImages(1)
          .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
          .build();

  private final int maxPromptCharacters;

  /**
   * @param maxPromptCharacters Unicode characters that a text may have, {@code
   *     limits.prompt-characters}
   */
  public PromptRules(int maxPromptCharacters) {
    this.maxPromptCharacters = maxPromptCharacters;
  }

  /** The rules with the default limit of 4000 characters. */
  public static PromptRules defaults() {
    return new PromptRules(4000);
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
    List<FieldViolation> violations = new ArrayList<>();
    if (PromptText.normalised(prompt.getPrompt()).isBlank()) {
      violations.add(FieldViolation.of("prompt", prompt.getPrompt(), "must not be empty"));
    }
    checkText("prompt", prompt.getPrompt(), maxPromptCharacters, violations);
    checkLabel("custom_id", prompt.getCustomId(), MAX_CUSTOM_ID_CHARACTERS, violations);
    checkShared(prompt, violations);
    return violations;
  }

  /** All that is wrong with the defaults of a job. */
  public List<FieldViolation> checkDefaults(Prompt defaults) {
    List<FieldViolation> violations = new ArrayList<>();
    mustBeEmpty("prompt", defaults.getPrompt(), violations);
    mustBeEmpty("custom_id", defaults.getCustomId(), violations);
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
    String size = resolved.prompt().getSize();
    if (!modelSizes.contains(size)) {
      violations.add(FieldViolation.of("size", size, notDrawn(size, model, modelSizes)));
    }
    checkShape(resolved, violations);
    violations.addAll(
        SamplingRules.check(resolved.prompt().getSampling(), resolved.schedule(), modelBlocks));
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
    Prompt prompt = resolved.prompt();
    SizeClass size = resolved.schedule().size();
    if (!ScaleSchedules.nearest(hDivW(prompt)).has(size)) {
      violations.add(
          FieldViolation.of(
              prompt.hasHDivW() ? "h_div_w" : "aspect_ratio",
              prompt.hasHDivW() ? prompt.getHDivW() : prompt.getAspectRatio(),
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
      Prompt prompt,
      Prompt jobDefaults,
      Prompt modelDefaults,
      List<String> modelSizes,
      String job,
      long offset) {
    Prompt.Builder filled = prompt.toBuilder();
    for (Prompt defaults : List.of(jobDefaults, modelDefaults, BUILT_IN)) {
      fill(filled, defaults);
    }
    filled.setPrompt(PromptText.normalised(filled.getPrompt()));
    filled.setNegativePrompt(PromptText.normalised(filled.getNegativePrompt()));
    if (filled.getSize().isEmpty()) {
      filled.setSize(modelSizes.get(0));
    }
    if (filled.getCustomId().isEmpty()) {
      filled.setCustomId("prompt-" + offset);
    }
    if (!filled.hasSeed()) {
      filled.setSeed(defaultSeed(job, offset));
    }
    ScaleSchedule schedule = schedule(filled);
    int scales = schedule.scales().size();
    filled.setSampling(
        SamplingRules.resolve(
            List.of(
                prompt.getSampling(),
                jobDefaults.getSampling(),
                SamplingRules.fitted(modelDefaults.getSampling(), scales),
                BUILT_IN.getSampling()),
            scales));
    return new Resolved(filled.build(), schedule);
  }

  /** The schedule of the prompt's size with the nearest shape; both must be set and valid. */
  public static ScaleSchedule schedule(PromptOrBuilder prompt) {
    SizeClass size = SizeClass.find(prompt.getSize()).orElseThrow();
    return ScaleSchedules.nearest(hDivW(prompt), size);
  }

  private static double hDivW(PromptOrBuilder prompt) {
    return prompt.hasHDivW()
        ? prompt.getHDivW()
        : AspectRatio.parse(prompt.getAspectRatio()).orElseThrow().hDivW();
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

  private static void fill(Prompt.Builder prompt, Prompt defaults) {
    if (prompt.getNegativePrompt().isEmpty()) {
      prompt.setNegativePrompt(defaults.getNegativePrompt());
    }
    if (!prompt.hasEnablePositivePrompt() && defaults.hasEnablePositivePrompt()) {
      prompt.setEnablePositivePrompt(defaults.getEnablePositivePrompt());
    }
    if (prompt.getShapeCase() == Prompt.ShapeCase.SHAPE_NOT_SET) {
      switch (defaults.getShapeCase()) {
        case ASPECT_RATIO -> prompt.setAspectRatio(defaults.getAspectRatio());
        case H_DIV_W -> prompt.setHDivW(defaults.getHDivW());
        case SHAPE_NOT_SET -> {}
      }
    }
    if (prompt.getSize().isEmpty()) {
      prompt.setSize(defaults.getSize());
    }
    if (!prompt.hasSeed() && defaults.hasSeed()) {
      prompt.setSeed(defaults.getSeed());
    }
    if (prompt.getNumImages() == 0) {
      prompt.setNumImages(defaults.getNumImages());
    }
    if (prompt.getFormat() == ImageFormat.IMAGE_FORMAT_UNSPECIFIED) {
      prompt.setFormat(defaults.getFormat());
    }
    if (!prompt.hasQuality() && defaults.hasQuality()) {
      prompt.setQuality(defaults.getQuality());
    }
  }

  private void checkShared(Prompt prompt, List<FieldViolation> violations) {
    checkText("negative_prompt", prompt.getNegativePrompt(), maxPromptCharacters, violations);
    checkRatio(prompt, violations);
    if (!prompt.getSize().isEmpty() && SizeClass.find(prompt.getSize()).isEmpty()) {
      violations.add(
          FieldViolation.of("size", prompt.getSize(), "must be one of " + SizeClass.labels()));
    }
    if (prompt.getNumImages() < 0 || prompt.getNumImages() > MAX_IMAGES) {
      violations.add(
          FieldViolation.of("num_images", prompt.getNumImages(), "must be 1 to " + MAX_IMAGES));
    }
    if (prompt.getFormat() == ImageFormat.UNRECOGNIZED) {
      violations.add(
          FieldViolation.of(
              "format", prompt.getFormatValue(), "must be one of " + PromptEnums.FORMAT.all()));
    }
    if (prompt.hasQuality() && (prompt.getQuality() < 1 || prompt.getQuality() > MAX_QUALITY)) {
      violations.add(FieldViolation.of("quality", prompt.getQuality(), "must be 1 to 100"));
    }
    SamplingRules.check(prompt.getSampling(), violations);
  }

  /** Who asks for a strip of 30:1 does not want 3:1, the widest shape that there is. */
  private static void checkRatio(Prompt prompt, List<FieldViolation> violations) {
    if (prompt.hasAspectRatio()) {
      Optional<AspectRatio> ratio = AspectRatio.parse(prompt.getAspectRatio());
      if (ratio.isEmpty()) {
        violations.add(
            FieldViolation.of(
                "aspect_ratio",
                prompt.getAspectRatio(),
                "must be width:height with positive numbers, such as 16:9"));
      } else if (!ScaleSchedules.covers(ratio.get().hDivW())) {
        violations.add(
            FieldViolation.of(
                "aspect_ratio", prompt.getAspectRatio(), "must be " + AspectRatio.range()));
      }
    }
    if (prompt.hasHDivW() && !ScaleSchedules.covers(prompt.getHDivW())) {
      violations.add(
          FieldViolation.of(
              "h_div_w",
              prompt.getHDivW(),
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
