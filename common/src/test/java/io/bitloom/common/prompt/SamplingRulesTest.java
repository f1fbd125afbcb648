package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SamplingPreset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SamplingRulesTest {

  private static final Sampling NOTHING = Sampling.getDefaultInstance();
  private static final Sampling FAST = preset(SamplingPreset.SAMPLING_PRESET_FAST);
  private static final Sampling QUALITY = preset(SamplingPreset.SAMPLING_PRESET_QUALITY);
  private static final Sampling PYRAMID =
      Sampling.newBuilder().setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID).build();

  private static Sampling preset(SamplingPreset preset) {
    return Sampling.newBuilder().setPreset(preset).build();
  }

  private static Sampling guidance(Double... values) {
    return Sampling.newBuilder().addAllGuidance(List.of(values)).build();
  }

  /** What a prompt comes to that is drawn in 7 scales by a model without defaults. */
  private static Sampling resolved(Sampling prompt, Sampling job) {
    return resolved(prompt, job, NOTHING, "0.06M");
  }

  private static Sampling resolved(Sampling prompt, Sampling job, Sampling model, String size) {
    return resolve(prompt, job, model, size).prompt().getSampling();
  }

  private static PromptRules.Resolved resolve(
      Sampling prompt, Sampling job, Sampling model, String size) {
    return PromptRules.resolve(
        Prompt.newBuilder().setPrompt("a").setSampling(prompt).build(),
        Prompt.newBuilder().setSampling(job).build(),
        Prompt.newBuilder().setSampling(model).build(),
        List.of(size),
        "job",
        0);
  }

  @Test
  void pyramidGuidanceGrowsLinearlyFromOneToItsValue() {
    Sampling pyramid = PYRAMID.toBuilder().addGuidance(4).build();
    assertEquals(
        List.of(1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0), resolved(pyramid, NOTHING).getGuidanceList());
  }

  @Test
  void aPyramidCanBeAJobsAndItsHeightAPrompts() {
    assertEquals(3.0, resolved(guidance(3.0), PYRAMID).getGuidance(6));
    assertEquals(1.0, resolved(guidance(3.0), PYRAMID).getGuidance(0));
    assertEquals(4.0, resolved(PYRAMID, NOTHING).getGuidance(6));
  }

  @Test
  void aPromptsOwnListIsNoPyramidWhateverTheJobSays() {
    Sampling list = guidance(4.0, 4.0, 4.0, 3.0, 3.0, 2.0, 2.0);
    assertEquals(list.getGuidanceList(), resolved(list, PYRAMID).getGuidanceList());
  }

  @Test
  void theQualityPresetIsThePapers() {
    Sampling quality = resolved(QUALITY, PYRAMID);
    assertEquals(List.of(4.0), quality.getGuidanceList());
    assertEquals(List.of(0), quality.getGuidanceLayersList());
    assertEquals(List.of(1.0), quality.getTemperatureList());
    assertEquals(0.97, quality.getTopP());
  }

  @ParameterizedTest
  @CsvSource({"0.06M,7,2", "0.25M,10,3", "0.60M,12,3", "1M,13,3"})
  void theFastPresetLeavesTheLastQuarterOfTheScalesUnguided(String size, int scales, int last) {
    List<Double> expected = new ArrayList<>(Collections.nCopies(scales - last, 4.0));
    expected.addAll(Collections.nCopies(last, 1.0));
    assertEquals(expected, resolved(FAST, NOTHING, NOTHING, size).getGuidanceList());
  }

  @Test
  void fieldsOverrideTheirPresetAndThePresetAllDefaults() {
    Sampling own = FAST.toBuilder().addGuidance(2).setTopP(0.5).build();
    Sampling job = guidance(9.0).toBuilder().addTemperature(0.1).setGreedy(true).build();
    Sampling filled = resolved(own, job);
    assertEquals(List.of(2.0), filled.getGuidanceList());
    assertEquals(0.5, filled.getTopP());
    assertEquals(List.of(1.0), filled.getTemperatureList());
    assertTrue(filled.getGreedy());
    assertEquals(SamplingPreset.SAMPLING_PRESET_FAST, filled.getPreset());
    assertEquals(List.of(9.0), resolved(NOTHING, job).getGuidanceList());
  }

  @Test
  void topKIsTheModelsUnlessThePromptHasOneOfItsOwnOrWantsAll() {
    Sampling model = Sampling.newBuilder().setTopK(900).build();
    assertEquals(900, resolved(NOTHING, NOTHING, model, "var256").getTopK());
    for (int own : new int[] {0, 50}) {
      Sampling prompt = Sampling.newBuilder().setTopK(own).build();
      assertEquals(own, resolved(prompt, NOTHING, model, "var256").getTopK());
    }
  }

  @Test
  void aJobsPresetBeatsTheModelsDefaultsAndYieldsToAPromptsFields() {
    Sampling filled = resolved(guidance(3.0), QUALITY, guidance(8.0), "0.06M");
    assertEquals(List.of(3.0), filled.getGuidanceList());
    assertEquals(List.of(4.0), resolved(NOTHING, QUALITY, guidance(8.0), "1M").getGuidanceList());
  }

  @Test
  void aModelsListIsFittedToTheSchedule() {
    Sampling model = guidance(4.0, 3.0, 2.0);
    assertEquals(
        List.of(4.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0),
        resolved(NOTHING, NOTHING, model, "0.06M").getGuidanceList());
    Sampling long13 = Sampling.newBuilder().addAllTemperature(Collections.nCopies(13, 2.0)).build();
    assertEquals(7, resolved(NOTHING, NOTHING, long13, "0.06M").getTemperatureCount());
  }

  @ParameterizedTest
  @EnumSource(SizeClass.class)
  void whatWasResolvedResolvesToItself(SizeClass size) {
    for (Sampling given : List.of(FAST, QUALITY, PYRAMID, guidance(2.0))) {
      Sampling once = resolved(given, NOTHING, NOTHING, size.label());
      assertEquals(once, resolved(once, PYRAMID, guidance(7.0), size.label()));
    }
  }

  @Test
  void aListOfAnotherLengthNamesFieldScheduleAndNumberOfScales() {
    Sampling wrong =
        guidance(1.0, 2.0, 3.0).toBuilder().addAllTemperature(Collections.nCopies(13, 1.0)).build();
    List<String> violations =
        PromptRules.check(resolve(wrong, NOTHING, NOTHING, "0.06M"), "m", List.of("0.06M"), 0)
            .stream()
            .map(FieldViolation::toString)
            .toList();
    assertEquals(
        List.of(
            "sampling.guidance must be one value or 7, one for each scale of 1:1 0.06M,"
                + " not \"3 values\"",
            "sampling.temperature must be one value or 7, one for each scale of 1:1 0.06M,"
                + " not \"13 values\""),
        violations);
  }

  @Test
  void aLayerThatTheModelDoesNotHaveIsNamedWithThoseThatItHas() {
    Sampling layer = Sampling.newBuilder().addGuidanceLayers(-12).build();
    PromptRules.Resolved prompt = resolve(layer, NOTHING, NOTHING, "0.06M");
    assertEquals(List.of(), PromptRules.check(prompt, "m", List.of("0.06M"), 0));
    assertEquals(List.of(), PromptRules.check(prompt, "m", List.of("0.06M"), 13));
    assertEquals(
        "sampling.guidance_layers must be 0 (logits) or -11 to -1 (blocks), not \"-12\"",
        PromptRules.check(prompt, "m", List.of("0.06M"), 12).get(0).toString());
  }

  /** Whatever is thrown at the rules is refused by field, or resolves to something drawable. */
  @Test
  void hostileParametersAreRefusedOrResolveToOneValueOrOnePerScale() {
    Random random = new Random(11);
    int accepted = 0;
    for (int i = 0; i < 20_000; i++) {
      Sampling sampling = hostile(random);
      Prompt prompt = Prompt.newBuilder().setPrompt("a").setSampling(sampling).build();
      List<FieldViolation> violations = PromptRules.defaults().check(prompt);
      if (violations.isEmpty()) {
        String size = SizeClass.values()[random.nextInt(SizeClass.values().length)].label();
        PromptRules.Resolved filled = resolve(sampling, NOTHING, NOTHING, size);
        if (PromptRules.check(filled, "m", List.of(size), 12).isEmpty()) {
          accepted++;
          assertDrawable(filled);
        }
      } else {
        violations.forEach(v -> assertTrue(v.field().startsWith("sampling."), v.toString()));
      }
    }
    assertTrue(accepted > 500, accepted + " were accepted");
  }

  private static void assertDrawable(PromptRules.Resolved filled) {
    Sampling sampling = filled.prompt().getSampling();
    int scales = filled.schedule().scales().size();
    for (List<Double> values : List.of(sampling.getGuidanceList(), sampling.getTemperatureList())) {
      assertTrue(values.size() == 1 || values.size() == scales, filled.toString());
      assertTrue(values.stream().allMatch(v -> v > 0 && v <= 30), filled.toString());
    }
    assertTrue(sampling.getTopP() > 0 && sampling.getTopP() <= 1, filled.toString());
    assertTrue(sampling.getTopK() >= 0 && sampling.getTopK() <= 1 << 24, filled.toString());
    assertTrue(sampling.getGuidanceLayersList().stream().allMatch(n -> n <= 0 && n > -12));
    assertEquals(
        sampling.getGuidanceCount() == 1
            ? GuidanceSchedule.GUIDANCE_SCHEDULE_CONSTANT
            : GuidanceSchedule.GUIDANCE_SCHEDULE_UNSPECIFIED,
        sampling.getGuidanceSchedule());
  }

  private static Sampling hostile(Random random) {
    double[] numbers = {
      1, 2, 4, 30, 0.5, 0.97, 1e-300, 0, -0.0, -1, 30.000001, 1e308, 0.0 / 0, 1 / 0.0, -1 / 0.0
    };
    Sampling.Builder sampling = Sampling.newBuilder();
    int[] lengths = {0, 1, 1, 7, 10, 12, 13, 14};
    int good = random.nextInt(2) == 0 ? 4 : numbers.length;
    int guidances = lengths[random.nextInt(lengths.length)];
    for (int i = 0; i < guidances; i++) {
      sampling.addGuidance(numbers[random.nextInt(good)]);
    }
    int temperatures = lengths[random.nextInt(lengths.length)];
    for (int i = 0; i < temperatures; i++) {
      sampling.addTemperature(numbers[random.nextInt(Math.min(good, 3))]);
    }
    if (random.nextBoolean()) {
      sampling.setTopP(numbers[random.nextInt(numbers.length)]);
    }
    if (random.nextBoolean()) {
      sampling.setTopK(random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(1000));
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      sampling.addGuidanceLayers(random.nextInt(8) == 0 ? random.nextInt() : -random.nextInt(14));
    }
    sampling.setGuidanceScheduleValue(random.nextInt(4));
    sampling.setPresetValue(random.nextInt(4));
    return sampling.setGreedy(random.nextBoolean()).build();
  }
}
