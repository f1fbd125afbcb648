package io.bitloom.common.prompt;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What a prompt may be and what it means: checks every field, fills what was left out (from the
 * job's defaults, then the model's, then {@link #BUILT_IN}) and picks the scale schedule.
 */
public final class PromptRules {

  public static final int MAX_CUSTOM_ID_CHARACTERS = 256;
  public static final int MAX_IMAGES = 16;
  public static final double MIN_GUIDANCE = 1;
  public static final double MAX_GUIDANCE = 30;
  public static final double MAX_TEMPERATURE = 10;

  /** The longest schedule has 13 scales. */
  public static final int MAX_SCALES = SizeClass.PIXELS_1M.scales();

  /** What holds where prompt, job and model say nothing: the official inference defaults. */
  public static final Prompt BUILT_IN =
      Prompt.newBuilder()
          .setAspectRatio("1:1")
          .setSampling(Sampling.newBuilder().addGuidance(4).addTemperature(0.5).setTopP(0.97))
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
   * @param schedule the schedule of the nearest template in the prompt's size
   */
  public record Resolved(Prompt prompt, ScaleSchedule schedule) {}

  /** All that is wrong with a prompt on its own; needs neither job nor model. */
  public List<FieldViolation> check(Prompt prompt) {
    List<FieldViolation> violations = new ArrayList<>();
    if (prompt.getPrompt().isBlank()) {
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

  /** A violation for a size that the model cannot draw; checks the resolved size. */
  public static List<FieldViolation> checkModelSize(String size, Collection<String> modelSizes) {
    if (modelSizes.contains(size)) {
      return List.of();
    }
    String drawn = "must be a size that the model draws: " + String.join(", ", modelSizes);
    return List.of(FieldViolation.of("size", size, drawn));
  }

  /**
   * Fills what the prompt leaves out, the first of these that says something: the prompt, the job's
   * defaults, the model's, {@link #BUILT_IN}. A missing size is the first of the model's. All
   * inputs must have passed their check.
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
    if (filled.getSize().isEmpty()) {
      filled.setSize(modelSizes.get(0));
    }
    if (filled.getCustomId().isEmpty()) {
      filled.setCustomId("prompt-" + offset);
    }
    if (!filled.hasSeed()) {
      filled.setSeed(defaultSeed(job, offset));
    }
    Prompt complete = filled.build();
    return new Resolved(complete, schedule(complete));
  }

  /** The schedule of the nearest template in the prompt's size; both must be set and valid. */
  public static ScaleSchedule schedule(Prompt prompt) {
    double hDivW =
        prompt.hasHDivW()
            ? prompt.getHDivW()
            : AspectRatio.parse(prompt.getAspectRatio()).orElseThrow().hDivW();
    SizeClass size = SizeClass.find(prompt.getSize()).orElseThrow();
    return ScaleSchedules.nearest(hDivW).schedule(size);
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
    fill(prompt.getSamplingBuilder(), defaults.getSampling());
  }

  private static void fill(Sampling.Builder sampling, Sampling defaults) {
    if (sampling.getGuidanceCount() == 0) {
      sampling.addAllGuidance(defaults.getGuidanceList());
    }
    if (sampling.getTemperatureCount() == 0) {
      sampling.addAllTemperature(defaults.getTemperatureList());
    }
    if (!sampling.hasTopP() && defaults.hasTopP()) {
      sampling.setTopP(defaults.getTopP());
    }
    if (defaults.getGreedy()) {
      sampling.setGreedy(true);
    }
  }

  private void checkShared(Prompt prompt, List<FieldViolation> violations) {
    checkText("negative_prompt", prompt.getNegativePrompt(), maxPromptCharacters, violations);
    if (prompt.hasAspectRatio() && AspectRatio.parse(prompt.getAspectRatio()).isEmpty()) {
      violations.add(
          FieldViolation.of(
              "aspect_ratio",
              prompt.getAspectRatio(),
              "must be width:height with positive numbers, such as 16:9"));
    }
    if (prompt.hasHDivW() && !(prompt.getHDivW() > 0 && Double.isFinite(prompt.getHDivW()))) {
      violations.add(
          FieldViolation.of("h_div_w", prompt.getHDivW(), "must be a positive, finite number"));
    }
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
          FieldViolation.of("format", prompt.getFormatValue(), "must be a known image format"));
    }
    checkSampling(prompt.getSampling(), violations);
  }

  private static void checkSampling(Sampling sampling, List<FieldViolation> violations) {
    checkLength("sampling.guidance", sampling.getGuidanceCount(), violations);
    for (double guidance : sampling.getGuidanceList()) {
      if (!(guidance >= MIN_GUIDANCE && guidance <= MAX_GUIDANCE)) {
        violations.add(FieldViolation.of("sampling.guidance", guidance, "must be 1 to 30"));
        break;
      }
    }
    checkLength("sampling.temperature", sampling.getTemperatureCount(), violations);
    for (double temperature : sampling.getTemperatureList()) {
      if (!(temperature > 0 && temperature <= MAX_TEMPERATURE)) {
        violations.add(
            FieldViolation.of(
                "sampling.temperature", temperature, "must be above 0 and at most 10"));
        break;
      }
    }
    if (sampling.hasTopP() && !(sampling.getTopP() > 0 && sampling.getTopP() <= 1)) {
      violations.add(
          FieldViolation.of("sampling.top_p", sampling.getTopP(), "must be above 0 and at most 1"));
    }
  }

  private static void checkLength(String field, int length, List<FieldViolation> violations) {
    if (length > MAX_SCALES) {
      violations.add(
          FieldViolation.of(
              field, length + " values", "must have at most " + MAX_SCALES + " values"));
    }
  }

  private static void mustBeEmpty(String field, String value, List<FieldViolation> violations) {
    if (!value.isEmpty()) {
      violations.add(FieldViolation.of(field, value, "must be empty in the defaults of a job"));
    }
  }

  /** A text for people and models: line breaks and tabs are fine, other control characters not. */
  private static void checkText(
      String field, String text, int maxCharacters, List<FieldViolation> violations) {
    checkCharacters(field, text, maxCharacters, "\n\r\t", violations);
  }

  /** A one-line text: no control characters. */
  public static void checkLabel(
      String field, String text, int maxCharacters, List<FieldViolation> violations) {
    checkCharacters(field, text, maxCharacters, "", violations);
  }

  private static void checkCharacters(
      String field,
      String text,
      int maxCharacters,
      String allowedControls,
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
      if (Character.isISOControl(c) && allowedControls.indexOf(c) < 0) {
        violations.add(FieldViolation.of(field, text, "must not have control characters"));
        return;
      }
      i += Character.charCount(c);
    }
  }
}
