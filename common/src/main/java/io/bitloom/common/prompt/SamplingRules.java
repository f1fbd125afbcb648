package io.bitloom.common.prompt;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SamplingPreset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/** What sampling parameters may be, and what they mean for the scales of a schedule. */
public final class SamplingRules {

  public static final double MIN_GUIDANCE = 1;
  public static final double MAX_GUIDANCE = 30;
  public static final double MAX_TEMPERATURE = 10;

  /** No codebook is larger, and no classifier of indices. */
  public static final int MAX_TOP_K = 1 << 24;

  /** The longest schedule has 13 scales. */
  public static final int MAX_SCALES = SizeClass.PIXELS_1M.scales();

  /** The largest model of the paper, 20B, has 58 blocks. */
  public static final int MAX_BLOCKS = 64;

  /** The paper's guidance, arXiv 2412.04431, table 9. */
  private static final double PAPER_GUIDANCE = 4;

  private static final double PAPER_TEMPERATURE = 1;
  private static final double PAPER_TOP_P = 0.97;

  /** One in how many scales {@code FAST} leaves without guidance; decision 0011 says why. */
  private static final int UNGUIDED_FRACTION = 4;

  private SamplingRules() {}

  /** All that is wrong with sampling parameters, whatever the schedule and the model. */
  static void check(Sampling sampling, List<FieldViolation> violations) {
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
    if (sampling.hasTopK() && (sampling.getTopK() < 0 || sampling.getTopK() > MAX_TOP_K)) {
      violations.add(
          FieldViolation.of("sampling.top_k", sampling.getTopK(), "must be 0 to " + MAX_TOP_K));
    }
    checkLayers(sampling.getGuidanceLayersList(), MAX_BLOCKS, violations);
    if (sampling.getGuidanceSchedule() == GuidanceSchedule.UNRECOGNIZED) {
      violations.add(
          FieldViolation.of(
              "sampling.guidance_schedule",
              sampling.getGuidanceScheduleValue(),
              "must be one of " + PromptEnums.GUIDANCE_SCHEDULE.all()));
    }
    checkPyramid(sampling, violations);
    if (sampling.getPreset() == SamplingPreset.UNRECOGNIZED) {
      violations.add(
          FieldViolation.of(
              "sampling.preset",
              sampling.getPresetValue(),
              "must be one of " + PromptEnums.PRESET.all()));
    }
  }

  private static void checkLength(String field, int length, List<FieldViolation> violations) {
    if (length > MAX_SCALES) {
      violations.add(
          FieldViolation.of(
              field, length + " values", "must have at most " + MAX_SCALES + " values"));
    }
  }

  private static void checkLayers(
      List<Integer> layers, int blocks, List<FieldViolation> violations) {
    String field = "sampling.guidance_layers";
    if (layers.size() > MAX_BLOCKS) {
      violations.add(
          FieldViolation.of(
              field, layers.size() + " values", "must have at most " + MAX_BLOCKS + " values"));
      return;
    }
    for (int layer : layers) {
      if (layer > 0 || layer <= -blocks) {
        String wanted =
            String.format(Locale.ROOT, "must be 0 (logits) or %d to -1 (blocks)", 1 - blocks);
        violations.add(FieldViolation.of(field, layer, wanted));
        return;
      }
    }
    if (new HashSet<>(layers).size() < layers.size()) {
      violations.add(FieldViolation.of(field, layers, "must not name a layer twice"));
    }
  }

  private static void checkPyramid(Sampling sampling, List<FieldViolation> violations) {
    if (sampling.getGuidanceSchedule() == GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID
        && sampling.getGuidanceCount() > 1) {
      violations.add(
          FieldViolation.of(
              "sampling.guidance",
              sampling.getGuidanceCount() + " values",
              "must be one value, that of the last scale, where guidance_schedule is pyramid"));
    }
  }

  /**
   * All that is wrong with the parameters of a prompt that {@link #resolve} has filled in.
   *
   * @param blocks blocks of the model's transformer; 0 if that is not known
   */
  static List<FieldViolation> check(Sampling sampling, ScaleSchedule schedule, int blocks) {
    List<FieldViolation> violations = new ArrayList<>();
    checkPyramid(sampling, violations);
    checkScales("sampling.guidance", sampling.getGuidanceCount(), schedule, violations);
    checkScales("sampling.temperature", sampling.getTemperatureCount(), schedule, violations);
    checkLayers(sampling.getGuidanceLayersList(), blocks == 0 ? MAX_BLOCKS : blocks, violations);
    return violations;
  }

  private static void checkScales(
      String field, int values, ScaleSchedule schedule, List<FieldViolation> violations) {
    int scales = schedule.scales().size();
    if (values != 1 && values != scales) {
      violations.add(
          FieldViolation.of(
              field,
              values + " values",
              String.format(
                  Locale.ROOT,
                  "must be one value or %d, one for each scale of %s",
                  scales,
                  schedule)));
    }
  }

  /**
   * What a model says with too few or too many values for a schedule: the last one goes on, as a
   * model has the same defaults for all its sizes.
   */
  static Sampling fitted(Sampling modelDefaults, int scales) {
    return modelDefaults.toBuilder()
        .clearGuidance()
        .addAllGuidance(fitted(modelDefaults.getGuidanceList(), scales))
        .clearTemperature()
        .addAllTemperature(fitted(modelDefaults.getTemperatureList(), scales))
        .build();
  }

  private static List<Double> fitted(List<Double> values, int scales) {
    if (values.size() <= 1) {
      return values;
    }
    List<Double> fitted = new ArrayList<>(values.subList(0, Math.min(values.size(), scales)));
    fitted.addAll(Collections.nCopies(scales - fitted.size(), values.get(values.size() - 1)));
    return fitted;
  }

  /**
   * Fills what is left out from the first of these that says something: explicit fields and preset
   * of every level, the most particular level first. Afterwards nothing is left out, and guidance
   * is one value and constant, or a value for each scale.
   *
   * @param levels the prompt's own parameters first; all have passed their check
   */
  static Sampling resolve(List<Sampling> levels, int scales) {
    Sampling.Builder filled = Sampling.newBuilder();
    for (Sampling level : levels) {
      fill(filled, level);
      fill(filled, preset(level.getPreset(), scales));
    }
    if (filled.getGuidanceSchedule() == GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID) {
      if (filled.getGuidanceCount() == 1) {
        List<Double> pyramid = pyramid(filled.getGuidance(0), scales);
        filled.clearGuidance().addAllGuidance(pyramid).clearGuidanceSchedule();
      }
      // A default's list cannot become a pyramid: check() says so.
    } else if (filled.getGuidanceCount() == 1) {
      filled.setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_CONSTANT);
    } else {
      filled.clearGuidanceSchedule();
    }
    return filled.build();
  }

  private static void fill(Sampling.Builder sampling, Sampling defaults) {
    if (sampling.getGuidanceSchedule() == GuidanceSchedule.GUIDANCE_SCHEDULE_UNSPECIFIED
        && sampling.getGuidanceCount() <= 1) {
      sampling.setGuidanceSchedule(defaults.getGuidanceSchedule());
    }
    if (sampling.getGuidanceCount() == 0) {
      sampling.addAllGuidance(defaults.getGuidanceList());
    }
    if (sampling.getGuidanceLayersCount() == 0) {
      sampling.addAllGuidanceLayers(defaults.getGuidanceLayersList());
    }
    if (sampling.getTemperatureCount() == 0) {
      sampling.addAllTemperature(defaults.getTemperatureList());
    }
    if (!sampling.hasTopP() && defaults.hasTopP()) {
      sampling.setTopP(defaults.getTopP());
    }
    if (!sampling.hasTopK() && defaults.hasTopK()) {
      sampling.setTopK(defaults.getTopK());
    }
    if (defaults.getGreedy()) {
      sampling.setGreedy(true);
    }
    if (sampling.getPreset() == SamplingPreset.SAMPLING_PRESET_UNSPECIFIED) {
      sampling.setPreset(defaults.getPreset());
    }
  }

  private static Sampling preset(SamplingPreset preset, int scales) {
    return switch (preset) {
      case SAMPLING_PRESET_QUALITY ->
          paper()
              .addGuidance(PAPER_GUIDANCE)
              .setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_CONSTANT)
              .build();
      case SAMPLING_PRESET_FAST -> {
        int unguided = Math.round((float) scales / UNGUIDED_FRACTION);
        yield paper()
            .addAllGuidance(Collections.nCopies(scales - unguided, PAPER_GUIDANCE))
            .addAllGuidance(Collections.nCopies(unguided, MIN_GUIDANCE))
            .build();
      }
      case SAMPLING_PRESET_UNSPECIFIED, UNRECOGNIZED -> Sampling.getDefaultInstance();
    };
  }

  private static Sampling.Builder paper() {
    return Sampling.newBuilder()
        .addGuidanceLayers(0)
        .addTemperature(PAPER_TEMPERATURE)
        .setTopP(PAPER_TOP_P);
  }

  /**
   * Pyramid guidance, "1 → g": its strength grows linearly with the scale (arXiv 2412.04431,
   * section on decoding, after VAR).
   */
  static List<Double> pyramid(double guidance, int scales) {
    List<Double> values = new ArrayList<>();
    for (int k = 0; k < scales; k++) {
      double share = scales == 1 ? 1 : (double) k / (scales - 1);
      values.add(MIN_GUIDANCE + (guidance - MIN_GUIDANCE) * share);
    }
    return values;
  }
}
