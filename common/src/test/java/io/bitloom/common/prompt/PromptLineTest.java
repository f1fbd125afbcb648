package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.rules.PromptLineException;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SamplingPreset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptLineTest {

  private static final String EVERY_FIELD =
      """
      {"custom_id":"cat-1","prompt":"a cat","negative_prompt":"dogs","enable_positive_prompt":true,\
      "aspect_ratio":"3:2","size":"0.25M","seed":-9223372036854775808,"guidance":3.0,"guidance_schedule":"pyramid",\
      "guidance_layers":[0,-2],"temperature":[1.0,0.5],"top_p":0.97,"top_k":900,"greedy":true,\
      "preset":"fast","num_images":2,"format":"webp-lossless","quality":80}""";

  @Test
  void everyFieldIsReadIntoItsPlace() throws PromptLineException {
    Prompt wanted =
        Prompt.newBuilder()
            .setCustomId("cat-1")
            .setPrompt("a cat")
            .setNegativePrompt("dogs")
            .setEnablePositivePrompt(true)
            .setAspectRatio("3:2")
            .setSize("0.25M")
            .setSeed(Long.MIN_VALUE)
            .setSampling(
                Sampling.newBuilder()
                    .addGuidance(3)
                    .setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID)
                    .addGuidanceLayers(0)
                    .addGuidanceLayers(-2)
                    .addTemperature(1)
                    .addTemperature(0.5)
                    .setTopP(0.97)
                    .setTopK(900)
                    .setGreedy(true)
                    .setPreset(SamplingPreset.SAMPLING_PRESET_FAST))
            .setNumImages(2)
            .setFormat(ImageFormat.IMAGE_FORMAT_WEBP_LOSSLESS)
            .setQuality(80)
            .build();

    assertEquals(wanted, PromptLine.parse(EVERY_FIELD));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        EVERY_FIELD,
        "{\"prompt\":\"a\"}",
        "{\"prompt\":\"a\",\"enable_positive_prompt\":false}",
        "{\"prompt\":\"a\",\"h_div_w\":1.5,\"format\":\"png\"}",
        "{\"prompt\":\"line\\nbreak \\\"quoted\\\" \\u0001 猫 🐈\"}"
      })
  void whatWasReadIsWrittenBackTheSame(String line) throws PromptLineException {
    assertEquals(line, PromptLine.format(PromptLine.parse(line)));
  }

  @Test
  void onlyThePromptIsRequired() throws PromptLineException {
    assertEquals(
        Prompt.newBuilder().setPrompt("a cat").build(),
        PromptLine.parse(" { \"prompt\" : \"a cat\" } \r"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"prompt\":\"a\",\"promt\":\"b\"}|promt|\"b\"|not a known field",
        "{\"prompt\":\"a\",\"x\":{\"y\":1}}|x|{…}|not a known field",
        "{\"prompt\":\"a\",\"prompt\":\"b\"}|prompt|\"b\"|twice",
        "{\"size\":\"1M\"}|prompt||missing",
        "{\"prompt\":7}|prompt|7|text",
        "{\"prompt\":null}|prompt|null|text",
        "{\"prompt\":\"a\",\"custom_id\":\"\"}|custom_id||empty",
        "{\"prompt\":\"\\ud83d\"}|prompt|\\ud83d|surrogate",
        "{\"prompt\":\"a\",\"aspect_ratio\":1.5}|aspect_ratio|1.5|text",
        "{\"prompt\":\"a\",\"h_div_w\":\"1.5\"}|h_div_w|\"1.5\"|number",
        "{\"prompt\":\"a\",\"h_div_w\":1e400}|h_div_w|1e400|too large",
        "{\"prompt\":\"a\",\"aspect_ratio\":\"3:2\",\"h_div_w\":0.5}|h_div_w|0.5|exclude",
        "{\"prompt\":\"a\",\"seed\":1.5}|seed|1.5|whole number",
        "{\"prompt\":\"a\",\"seed\":9223372036854775808}|seed|9223372036854775808|whole number",
        "{\"prompt\":\"a\",\"seed\":1e999999999}|seed|1e999999999|whole number",
        "{\"prompt\":\"a\",\"seed\":\"7\"}|seed|\"7\"|whole number",
        "{\"prompt\":\"a\",\"num_images\":0}|num_images|0|whole number",
        "{\"prompt\":\"a\",\"guidance\":[3,\"4\"]}|guidance|\"4\"|number",
        "{\"prompt\":\"a\",\"guidance\":[]}|guidance|[]|empty list",
        "{\"prompt\":\"a\",\"temperature\":[[1]]}|temperature|[…]|number",
        "{\"prompt\":\"a\",\"top_p\":true}|top_p|true|number",
        "{\"prompt\":\"a\",\"top_k\":-1}|top_k|-1|0 to 16777216",
        "{\"prompt\":\"a\",\"greedy\":1}|greedy|1|true or false",
        "{\"prompt\":\"a\",\"format\":\"gif\"}|format|gif|png",
        "{\"prompt\":\"a\",\"format\":\"WEBP\"}|format|WEBP|webp-lossless",
        "{\"prompt\":\"a\",\"quality\":0}|quality|0|1 to 100",
        "{\"prompt\":\"a\",\"quality\":9.5}|quality|9.5|whole number",
        "{\"prompt\":\"a\",\"preset\":\"best\"}|preset|best|quality, fast",
        "{\"prompt\":\"a\",\"preset\":1}|preset|1|text",
        "{\"prompt\":\"a\",\"guidance_schedule\":\"cone\"}|guidance_schedule|cone|pyramid",
        "{\"prompt\":\"a\",\"guidance_layers\":[]}|guidance_layers|[]|empty list",
        "{\"prompt\":\"a\",\"guidance_layers\":[-1.5]}|guidance_layers|-1.5|whole number",
        "{\"prompt\":\"a\",\"guidance_layers\":-1e99}|guidance_layers|-1e99|whole number",
        "{\"prompt\":\"a\",\"guidance\":1e999}|guidance|1e999|too large",
        "{\"prompt\":\"a\",\"h_div_w\":2,\"aspect_ratio\":\"3:2\"}|aspect_ratio|3:2|exclude",
        "[1]||[…]|one JSON object",
        "\"a\"||\"a\"|one JSON object",
      })
  void anErrorNamesTheFieldAndItsValue(String line, String field, String value, String problem) {
    PromptLineException e = assertThrows(PromptLineException.class, () -> PromptLine.parse(line));

    assertEquals(field == null ? "" : field, e.field());
    assertEquals(value == null ? "" : value, e.value());
    assertTrue(e.getMessage().contains(problem), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{\"prompt\":\"a\"",
        "{\"prompt\":\"a\"} x",
        "{\"prompt\":\"a\"}{\"prompt\":\"b\"}",
        "{\"prompt\":\"a\",}",
        "{\"prompt\":\"a\" \"size\":\"1M\"}",
        "{'prompt':'a'}",
        "{prompt:\"a\"}",
        "{\"prompt\":\"a\",\"top_p\":NaN}",
        "{\"prompt\":\"a\",\"guidance\":[1,Infinity]}",
        "{\"prompt\":\"a\",\"temperature\":-Infinity}",
        "{\"prompt\":\"a\",\"top_p\":.5}",
        "{\"prompt\":\"a\",\"seed\":007}",
        "{\"prompt\":\"a\\\tb\"}",
        "\u0001{\"prompt\":\"a\"}",
        "{\"prompt\":\"a\\x\"}",
        "# comment",
        ""
      })
  void whatIsNotOneJsonObjectIsRefused(String line) {
    assertThrows(PromptLineException.class, () -> PromptLine.parse(line));
  }

  @Test
  void aBareControlCharacterInATextIsReadAsItself() throws PromptLineException {
    String text = "tab\t nul\0 bell\u0007 quote\" next\u0085 line\u2028";

    assertEquals(
        text, PromptLine.parse("{\"prompt\":\"" + text.replace("\"", "\\\"") + "\"}").getPrompt());
    assertEquals("a\tb", PromptLine.parse("{\t\"prompt\"\t:\"a\\tb\"}").getPrompt());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"prompt\":\"a\"},|ends in a comma",
        "{\"prompt\":\"a\"} , |ends in a comma",
        "{\"prompt\":\"a\",}|no comma before a closing bracket",
        "{\"prompt\":\"a\",\"guidance\":[1,2,]}|no comma before a closing bracket",
        "\"{\"\"prompt\"\":\"\"a\"\"}\"|quoted as in CSV",
        "{'prompt':'a'}|not single ones",
        "{“prompt”:“a”}|typographic",
      })
  void whatIsOftenWrongIsSaid(String line, String help) {
    PromptLineException e = assertThrows(PromptLineException.class, () -> PromptLine.parse(line));

    assertTrue(e.getMessage().contains(help), e.getMessage());
    assertEquals("not valid JSON", e.kind());
  }

  @Test
  void aHugeNumberIsRefusedBeforeItIsComputed() {
    String line = "{\"prompt\":\"a\",\"seed\":" + "9".repeat(900) + "}";

    PromptLineException e = assertThrows(PromptLineException.class, () -> PromptLine.parse(line));

    assertTrue(e.getMessage().contains("digits"), e.getMessage());
    assertTrue(e.value().length() < 100, e.value());
  }
}
