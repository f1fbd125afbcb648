package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.PromptText;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptRulesTest {

  private static final PromptRules RULES = PromptRules.defaults();

  private static Arguments bad(String field, String value, Consumer<Prompt.Builder> change) {
    return Arguments.of(field, value, change);
  }

  private static Consumer<Prompt.Builder> sampling(Consumer<Sampling.Builder> change) {
    return prompt -> change.accept(prompt.getSamplingBuilder());
  }

  static Stream<Arguments> badFields() {
    return Stream.of(
        bad("prompt", "", p -> p.clearPrompt()),
        bad("prompt", " \\u000a ", p -> p.setPrompt(" \n ")),
        bad("prompt", "4001 characters", p -> p.setPrompt("x".repeat(4001))),
        bad("prompt", "\\u0000\\u0085\u2028", p -> p.setPrompt("\0\u0085\u2028")),
        bad("prompt", "a\\ud800b", p -> p.setPrompt("a\ud800b")),
        bad("prompt", "\\udc00", p -> p.setPrompt("\udc00")),
        bad("negative_prompt", "5000 characters", p -> p.setNegativePrompt("x".repeat(5000))),
        bad("custom_id", "257 characters", p -> p.setCustomId("x".repeat(257))),
        bad("custom_id", "a\\u000ab", p -> p.setCustomId("a\nb")),
        bad("aspect_ratio", "", p -> p.setAspectRatio("")),
        bad("aspect_ratio", "3x2", p -> p.setAspectRatio("3x2")),
        bad("aspect_ratio", "0:1", p -> p.setAspectRatio("0:1")),
        bad("aspect_ratio", "1:0.0", p -> p.setAspectRatio("1:0.0")),
        bad("aspect_ratio", "-3:2", p -> p.setAspectRatio("-3:2")),
        bad("aspect_ratio", "3:2:1", p -> p.setAspectRatio("3:2:1")),
        bad("aspect_ratio", "NaN:1", p -> p.setAspectRatio("NaN:1")),
        bad("aspect_ratio", "1e3:1", p -> p.setAspectRatio("1e3:1")),
        bad("aspect_ratio", "٣:٢", p -> p.setAspectRatio("٣:٢")),
        bad("aspect_ratio", "30:1", p -> p.setAspectRatio("30:1")),
        bad("aspect_ratio", "1:3.1", p -> p.setAspectRatio("1:3.1")),
        bad("h_div_w", "3.1", p -> p.setHDivW(3.1)),
        bad("h_div_w", "0.3", p -> p.setHDivW(0.3)),
        bad("h_div_w", "0.0", p -> p.setHDivW(0)),
        bad("h_div_w", "-1.0", p -> p.setHDivW(-1)),
        bad("h_div_w", "NaN", p -> p.setHDivW(Double.NaN)),
        bad("h_div_w", "Infinity", p -> p.setHDivW(Double.POSITIVE_INFINITY)),
        bad("size", "2M", p -> p.setSize("2M")),
        bad("size", "0.25m", p -> p.setSize("0.25m")),
        bad("num_images", "-1", p -> p.setNumImages(-1)),
        bad("num_images", "17", p -> p.setNumImages(17)),
        bad("format", "99", p -> p.setFormatValue(99)),
        bad("quality", "0", p -> p.setQuality(0)),
        bad("quality", "101", p -> p.setQuality(101)),
        bad("sampling.guidance", "Infinity", sampling(s -> s.addGuidance(1.0 / 0))),
        bad("sampling.guidance_layers", "1", sampling(s -> s.addGuidanceLayers(1))),
        bad("sampling.guidance_layers", "-64", sampling(s -> s.addGuidanceLayers(-64))),
        bad(
            "sampling.guidance_layers",
            "-2147483648",
            sampling(s -> s.addGuidanceLayers(Integer.MIN_VALUE))),
        bad(
            "sampling.guidance_layers",
            "[0, -1, 0]",
            sampling(s -> s.addGuidanceLayers(0).addGuidanceLayers(-1).addGuidanceLayers(0))),
        bad(
            "sampling.guidance_layers",
            "1000000 values",
            sampling(s -> s.addAllGuidanceLayers(Collections.nCopies(1_000_000, 0)))),
        bad("sampling.guidance_schedule", "9", sampling(s -> s.setGuidanceScheduleValue(9))),
        bad(
            "sampling.guidance",
            "2 values",
            sampling(s -> s.setGuidanceScheduleValue(2).addGuidance(1).addGuidance(3))),
        bad("sampling.preset", "7", sampling(s -> s.setPresetValue(7))),
        bad("sampling.guidance", "0.5", sampling(s -> s.addGuidance(4).addGuidance(0.5))),
        bad("sampling.guidance", "30.1", sampling(s -> s.addGuidance(30.1))),
        bad("sampling.guidance", "NaN", sampling(s -> s.addGuidance(Double.NaN))),
        bad("sampling.guidance", "14 values", sampling(s -> s.addAllGuidance(copies(14, 4.0)))),
        bad("sampling.temperature", "0.0", sampling(s -> s.addTemperature(0))),
        bad("sampling.temperature", "10.5", sampling(s -> s.addTemperature(10.5))),
        bad("sampling.temperature", "NaN", sampling(s -> s.addTemperature(Double.NaN))),
        bad(
            "sampling.temperature",
            "1000000 values",
            sampling(s -> s.addAllTemperature(copies(1_000_000, 1.0)))),
        bad("sampling.top_p", "0.0", sampling(s -> s.setTopP(0))),
        bad("sampling.top_p", "1.01", sampling(s -> s.setTopP(1.01))),
        bad("sampling.top_p", "NaN", sampling(s -> s.setTopP(Double.NaN))));
  }

  private static List<Double> copies(int count, double value) {
    return Collections.nCopies(count, value);
  }

  @ParameterizedTest
  @MethodSource("badFields")
  void aBadFieldIsNamedWithItsValue(String field, String value, Consumer<Prompt.Builder> change) {
    Prompt.Builder prompt = Prompt.newBuilder().setPrompt("a fox");
    change.accept(prompt);

    FieldViolation violation = RULES.check(prompt.build()).get(0);

    assertEquals(field, violation.field());
    assertEquals(value, violation.value());
  }

  @ParameterizedTest
  @ValueSource(strings = {"3:2", "16:9", "2.39:1", "1:1", "000001:2", "1:3", "3:1", "0.333333:1"})
  void peoplesAspectRatiosAreAccepted(String ratio) {
    assertEquals(List.of(), RULES.check(prompt("a fox").toBuilder().setAspectRatio(ratio).build()));
  }

  @Test
  void aStripThatNoTemplateComesNearIsRefusedWithWhatCanBeDrawn() {
    Prompt strip = prompt("a fox").toBuilder().setAspectRatio("30:1").build();

    assertEquals(
        "aspect_ratio must be between 1:3 and 3:1, not \"30:1\"",
        RULES.check(strip).get(0).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u0000", "\u001b", "\u007f", "\u0085", "\u009f", "\u2028", "\u2029"})
  void controlCharactersOfTextsAreTakenAndDrawnAsSpaces(String control) {
    Prompt scraped =
        prompt("a" + control + "fox\n\tasleep").toBuilder()
            .setNegativePrompt(control + "dogs")
            .build();

    assertEquals(List.of(), RULES.check(scraped));
    Prompt drawn = resolved(scraped).prompt();
    assertEquals("a fox\n\tasleep", drawn.getPrompt());
    assertEquals(" dogs", drawn.getNegativePrompt());
    assertEquals(2, PromptText.strays(scraped.getPrompt() + scraped.getNegativePrompt()));
  }

  @Test
  void aControlCharacterOfAJobsDefaultsIsDrawnAsASpaceToo() {
    Prompt job = Prompt.newBuilder().setNegativePrompt("cats\u0085dogs").build();

    assertEquals(List.of(), RULES.checkDefaults(job));
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt("a fox"), job, Prompt.getDefaultInstance(), List.of("0.06M"), "job", 0);
    assertEquals("cats dogs", resolved.prompt().getNegativePrompt());
  }

  @Test
  void valuesOnTheirLimitsAreAccepted() {
    Prompt prompt =
        Prompt.newBuilder()
            .setPrompt("🦊".repeat(4000))
            .setNegativePrompt("two\nlines")
            .setCustomId("é".repeat(256))
            .setHDivW(0.333)
            .setNumImages(16)
            .setSeed(Long.MIN_VALUE)
            .setSampling(
                Sampling.newBuilder().addAllGuidance(copies(13, 30)).addTemperature(10).setTopP(1))
            .build();
    assertEquals(List.of(), RULES.check(prompt));
  }

  @Test
  void everyBadFieldOfAPromptIsReported() {
    Prompt prompt = Prompt.newBuilder().setSize("huge").setNumImages(99).setHDivW(-1).build();
    assertEquals(
        List.of("prompt", "h_div_w", "size", "num_images"),
        RULES.check(prompt).stream().map(FieldViolation::field).toList());
  }

  @Test
  void theDefaultsOfAJobHoldNeitherTextNorId() {
    Prompt defaults = prompt("a fox").toBuilder().setCustomId("a").setSize("0.06M").build();
    assertEquals(
        List.of("prompt", "custom_id"),
        RULES.checkDefaults(defaults).stream().map(FieldViolation::field).toList());
    assertEquals(List.of(), RULES.checkDefaults(Prompt.getDefaultInstance()));
  }

  @Test
  void promptBeatsJobBeatsModelBeatsBuiltIn() {
    Prompt prompt =
        prompt("a fox").toBuilder()
            .setAspectRatio("3:2")
            .setEnablePositivePrompt(false)
            .setSampling(Sampling.newBuilder().addGuidance(2))
            .build();
    Prompt job =
        Prompt.newBuilder()
            .setHDivW(2)
            .setNumImages(3)
            .setSeed(7)
            .setEnablePositivePrompt(true)
            .build();
    Prompt model =
        Prompt.newBuilder()
            .setNumImages(5)
            .setSize("0.25M")
            .setSampling(Sampling.newBuilder().addGuidance(3).addTemperature(1))
            .build();

    PromptRules.Resolved resolved =
        PromptRules.resolve(prompt, job, model, List.of("0.06M", "0.25M"), "job", 4);

    Prompt expected =
        Prompt.newBuilder()
            .setCustomId("prompt-4")
            .setPrompt("a fox")
            .setEnablePositivePrompt(false)
            .setAspectRatio("3:2")
            .setSize("0.25M")
            .setSeed(7)
            .setSampling(
                Sampling.newBuilder()
                    .addGuidance(2)
                    .setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_CONSTANT)
                    .addGuidanceLayers(0)
                    .addTemperature(1)
                    .setTopP(0.97))
            .setNumImages(3)
            .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
            .build();
    assertEquals(expected, resolved.prompt());
    assertEquals("0.666_0.25M", resolved.schedule().id());
  }

  @Test
  void aSizeThatNobodyNamesIsTheModelsUsualOne() {
    Prompt none = Prompt.getDefaultInstance();
    PromptRules.Resolved resolved =
        PromptRules.resolve(prompt("a fox"), none, none, List.of("0.06M", "1M"), "job", 0);
    assertEquals("1.0_0.06M", resolved.schedule().id());
  }

  @ParameterizedTest
  @CsvSource({"1:1, ''", "20:19, ''", "3:2, aspect_ratio must be square"})
  void ofASizeThatIsSquareOnlyOtherShapesAreAViolation(String ratio, String wanted) {
    Prompt prompt = prompt("a fox").toBuilder().setAspectRatio(ratio).setSize("var256").build();
    PromptRules.Resolved resolved = resolved(prompt);
    assertEquals("1.0_var256", resolved.schedule().id());
    List<FieldViolation> violations = PromptRules.check(resolved, "m", List.of("var256"), 16);
    assertEquals(wanted.isEmpty(), violations.isEmpty());
    assertTrue(wanted.isEmpty() || violations.get(0).toString().contains(wanted));
  }

  @Test
  void aSizeThatTheModelCannotDrawIsAViolation() {
    PromptRules.Resolved resolved = resolved(prompt("a fox").toBuilder().setSize("1M").build());
    assertEquals(List.of(), PromptRules.check(resolved, "m", List.of("1M"), 0));
    assertEquals(
        "size 1M is not drawn by model m, which draws 0.06M, 0.25M",
        PromptRules.check(resolved, "m", List.of("0.06M", "0.25M"), 0).get(0).toString());
  }

  private static PromptRules.Resolved resolved(Prompt prompt) {
    Prompt none = Prompt.getDefaultInstance();
    return PromptRules.resolve(prompt, none, none, List.of("0.06M"), "job", 0);
  }

  private static Prompt prompt(String text) {
    return Prompt.newBuilder().setPrompt(text).build();
  }
}
