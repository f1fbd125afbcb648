package io.bitloom.common.rules;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.SamplingParameters.GuidanceSchedule;
import io.bitloom.common.rules.SamplingParameters.Preset;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.SizeClass;
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
  static void check(SamplingParameters sampling, List<FieldViolation> violations) {
    checkLength("sampling.guidance", sampling.guidance().size(), violations);
    for (double guidance : sampling.guidance()) {
      if (!(guidance >= MIN_GUIDANCE && guidance <= MAX_GUIDANCE)) {
        violations.add(FieldViolation.of("sampling.guidance", guidance, "must be 1 to 30"));
        break;
      }
    }
    checkLength("sampling.temperature", sampling.temperature().size(), violations);
    for (double temperature : sampling.temperature()) {
      if (!(temperature > 0 && temperature <= MAX_TEMPERATURE)) {
        violations.add(
            FieldViolation.of(
                "sampling.temperature", temperature, "must be above 0 and at most 10"));
        break;
      }
    }
    if (sampling.topP() != null && !(sampling.topP() > 0 && sampling.topP() <= 1)) {
      violations.add(
          FieldViolation.of("sampling.top_p", sampling.topP(), "must be above 0 and at most 1"));
    }
    if (sampling.topK() != null && (sampling.topK() < 0 || sampling.topK() > MAX_TOP_K)) {
      violations.add(
          FieldViolation.of("sampling.top_k", sampling.topK(), "must be 0 to " + MAX_TOP_K));
    }
    checkLayers(sampling.guidanceLayers(), MAX_BLOCKS, violations);
    checkPyramid(sampling, violations);
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

  private static void checkPyramid(SamplingParameters sampling, List<FieldViolation> violations) {
    if (sampling.guidanceSchedule() == GuidanceSchedule.PYRAMID && sampling.guidance().size() > 1) {
      violations.add(
          FieldViolation.of(
              "sampling.guidance",
              sampling.guidance().size() + " values",
              "must be one value, that of the last scale, where guidance_schedule is pyramid"));
    }
  }

  /**
   * All that is wrong with the parameters of a prompt that {@link #resolve} has filled in.
   *
   * @param blocks blocks of the model's transformer; 0 if that is not known
   */
  static List<FieldViolation> check(
      SamplingParameters sampling, ScaleSchedule schedule, int blocks) {
    List<FieldViolation> violations = new ArrayList<>();
    checkPyramid(sampling, violations);
    checkScales("sampling.guidance", sampling.guidance().size(), schedule, violations);
    checkScales("sampling.temperature", sampling.temperature().size(), schedule, violations);
    checkLayers(sampling.guidanceLayers(), blocks == 0 ? MAX_BLOCKS : blocks, violations);
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
  static SamplingParameters fitted(SamplingParameters modelDefaults, int scales) {
    return modelDefaults.toBuilder()
        .guidance(fitted(modelDefaults.guidance(), scales))
        .temperature(fitted(modelDefaults.temperature(), scales))
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
  static SamplingParameters resolve(List<SamplingParameters> levels, int scales) {
    SamplingParameters filled = SamplingParameters.NONE;
    for (SamplingParameters level : levels) {
      filled = filled(filled, level);
      filled = filled(filled, preset(level.preset(), scales));
    }
    if (filled.guidanceSchedule() == GuidanceSchedule.PYRAMID) {
      // A default's list cannot become a pyramid: check() says so.
      return filled.guidance().size() == 1
          ? filled.toBuilder()
              .guidance(pyramid(filled.guidance().get(0), scales))
              .guidanceSchedule(null)
              .build()
          : filled;
    }
    return filled.toBuilder()
        .guidanceSchedule(filled.guidance().size() == 1 ? GuidanceSchedule.CONSTANT : null)
        .build();
  }

  private static SamplingParameters filled(SamplingParameters given, SamplingParameters defaults) {
    boolean open = given.guidanceSchedule() == null && given.guidance().size() <= 1;
    return new SamplingParameters(
        filled(given.guidance(), defaults.guidance()),
        open ? defaults.guidanceSchedule() : given.guidanceSchedule(),
        filled(given.guidanceLayers(), defaults.guidanceLayers()),
        filled(given.temperature(), defaults.temperature()),
        given.topP() == null ? defaults.topP() : given.topP(),
        given.topK() == null ? defaults.topK() : given.topK(),
        given.greedy() || defaults.greedy(),
        given.preset() == null ? defaults.preset() : given.preset());
  }

  private static <T> List<T> filled(List<T> given, List<T> defaults) {
    return given.isEmpty() ? defaults : given;
  }

  private static SamplingParameters preset(Preset preset, int scales) {
    if (preset == null) {
      return SamplingParameters.NONE;
    }
    return switch (preset) {
      case QUALITY ->
          paper().guidance(PAPER_GUIDANCE).guidanceSchedule(GuidanceSchedule.CONSTANT).build();
      case FAST -> {
        int unguided = Math.round((float) scales / UNGUIDED_FRACTION);
        List<Double> guidance =
            new ArrayList<>(Collections.nCopies(scales - unguided, PAPER_GUIDANCE));
        guidance.addAll(Collections.nCopies(unguided, MIN_GUIDANCE));
        yield paper().guidance(guidance).build();
      }
    };
  }

  private static SamplingParameters.Builder paper() {
    return SamplingParameters.builder()
        .guidanceLayers(List.of(0))
        .temperature(PAPER_TEMPERATURE)
        .topP(PAPER_TOP_P);
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
