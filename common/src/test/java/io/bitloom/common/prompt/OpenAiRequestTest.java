package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.rules.PromptLineException;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenAiRequestTest {

  private final List<String> withoutUse = new ArrayList<>();

  @Test
  void aRequestIsAPrompt() throws PromptLineException {
    String line =
        """
        {"custom_id":"r-1","method":"POST","url":"/v1/images/generations","body":{\
        "model":"gpt-image-1","prompt":"a kite","n":2,"size":"1536x1024","quality":"high",\
        "output_format":"webp","output_compression":80,"background":"opaque","user":"u",\
        "seed":7,"guidance":[1,2],"negative_prompt":"dogs"}}""";

    assertEquals(
        Prompt.newBuilder()
            .setCustomId("r-1")
            .setPrompt("a kite")
            .setNumImages(2)
            .setAspectRatio("1536:1024")
            .setFormat(ImageFormat.IMAGE_FORMAT_WEBP)
            .setQuality(80)
            .setSeed(7)
            .setSampling(Sampling.newBuilder().addGuidance(1).addGuidance(2))
            .setNegativePrompt("dogs")
            .build(),
        PromptLine.parse(line, withoutUse::add));
    assertEquals(List.of("body.model", "body.quality", "body.user"), withoutUse);
  }

  @ParameterizedTest
  @CsvSource({
    "1024x1024, 1.0",
    "1024x1536, 1.5",
    "1536x1024, 0.666",
    "1792x1024, 0.571",
    "256X512, 2.0",
    "auto, 1.0",
  })
  void theSizeIsTheShapeOfTheNearestTemplate(String size, String template)
      throws PromptLineException {
    Prompt prompt = PromptLine.parse(line("\"size\":\"" + size + "\""));

    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt,
            Prompt.getDefaultInstance(),
            Prompt.getDefaultInstance(),
            List.of("0.06M", "1M"),
            "job",
            0);
    assertEquals(template + "_0.06M", resolved.schedule().id(), "the size is the model's");
  }

  @Test
  void nullStandsForAFieldThatIsNotThere() throws PromptLineException {
    assertEquals(
        Prompt.newBuilder().setPrompt("a").build(),
        PromptLine.parse(line("\"n\":null,\"size\":null,\"quality\":null,\"user\":null")));
  }

  @Test
  void ourOwnSizesAndQualityMayBeThere() throws PromptLineException {
    Prompt prompt = PromptLine.parse(line("\"size\":\"0.25M\",\"quality\":90,\"format\":\"jpeg\""));

    assertEquals("0.25M", prompt.getSize());
    assertEquals(90, prompt.getQuality());
  }

  @Test
  void theOrderOfTheFieldsDoesNotMatter() throws PromptLineException {
    String line =
        """
        {"body":{"size":"512x512","prompt":"a"},\
        "url":"https://api.example/v1/images/generations","custom_id":"x","method":"POST"}""";

    assertEquals("a", PromptLine.parse(line).getPrompt());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"colour\":1|body.colour|1|is not a known field",
        "\"n\":0|body.n|0|whole number",
        "\"n\":\"2\"|body.n|\"2\"|whole number",
        "\"n\":1,\"num_images\":2|body.num_images||and n exclude each other",
        "\"size\":\"big\"|body.size|big|1024x1536",
        "\"size\":\"0x5\"|body.size|0x5|above 0",
        "\"size\":\"3000x100\"|body.size|3000x100|between 1:3 and 3:1",
        "\"size\":\"5x6\",\"aspect_ratio\":\"1:1\"|body.aspect_ratio|1:1|and size exclude",
        "\"output_format\":\"gif\"|body.output_format|gif|png",
        "\"output_compression\":101|body.output_compression|101|0 to 100",
        "\"background\":\"transparent\"|body.background|transparent|opaque",
        "\"prompt\":\"b\"|body.prompt|\"b\"|twice",
        "\"custom_id\":\"b\"|body.custom_id|\"b\"|not a known field",
      })
  void anErrorNamesTheFieldOfTheBody(String fields, String field, String value, String problem) {
    PromptLineException e =
        assertThrows(PromptLineException.class, () -> PromptLine.parse(line(fields)));

    assertEquals(field, e.field());
    assertEquals(value == null ? "" : value, e.value());
    assertTrue(e.getMessage().contains(problem), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"method\":\"GET\",\"url\":\"/v1/images/generations\",\"body\":{}}|method must be POST",
        "{\"url\":\"/v1/chat/completions\",\"body\":{}}|url must be /v1/images/generations",
        "{\"method\":\"POST\",\"url\":\"/v1/images/generations\"}|body is missing",
        "{\"body\":{}}|body.prompt is missing",
        "{\"body\":[]}|body must be an object",
        "{\"body\":{\"prompt\":\"a\"},\"seed\":1}|seed and body exclude each other",
        "{\"body\":{\"prompt\":\"a\"},\"prompt\":\"b\"}|prompt and body exclude each other",
      })
  void aLineThatIsNoSuchRequestIsRefused(String line, String message) {
    PromptLineException e = assertThrows(PromptLineException.class, () -> PromptLine.parse(line));

    assertTrue(e.getMessage().startsWith(message), e.getMessage());
  }

  private static String line(String fields) {
    return "{\"method\":\"POST\",\"url\":\"/v1/images/generations\",\"body\":{\"prompt\":\"a\","
        + fields
        + "}}";
  }
}
