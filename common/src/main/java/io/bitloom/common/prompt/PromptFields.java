package io.bitloom.common.prompt;

import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** The fields of a prompt in the object that is read, and what they make. */
final class PromptFields {

  private final FieldReader values;
  private final Prompt.Builder prompt;

  /** What was given, by the field that gave it: two fields may stand for the same thing. */
  private final Map<String, String> givenBy = new HashMap<>();

  /**
   * @param values of the object's fields
   * @param prompt is given what the fields say
   */
  PromptFields(FieldReader values, Prompt.Builder prompt) {
    this.values = values;
    this.prompt = prompt;
  }

  /** Whether a field gave this, or one that stands for the same. */
  boolean has(String field) {
    return givenBy.containsKey(field);
  }

  /**
   * Remembers that a field gives something.
   *
   * @param thing name of the field of a prompt; {@code shape} for both that say the shape
   * @throws PromptLineException if another field gave it already
   */
  void give(String thing, String field, String value) throws PromptLineException {
    String earlier = givenBy.putIfAbsent(thing, field);
    if (earlier != null) {
      throw values.wrong(field, value, "and " + earlier + " exclude each other");
    }
  }

  /**
   * Takes the value of a field; false, and the value is not read, if a prompt has no such field.
   */
  boolean take(String field) throws IOException, PromptLineException {
    switch (field) {
      case "prompt" -> prompt.setPrompt(values.text(field));
      case "negative_prompt" -> prompt.setNegativePrompt(values.text(field));
      case "enable_positive_prompt" -> prompt.setEnablePositivePrompt(values.truth(field));
      case "aspect_ratio" -> {
        prompt.setAspectRatio(values.filledText(field));
        give("shape", field, prompt.getAspectRatio());
      }
      case "h_div_w" -> {
        prompt.setHDivW(values.number(field));
        give("shape", field, "" + prompt.getHDivW());
      }
      case "size" -> prompt.setSize(values.filledText(field));
      case "seed" -> prompt.setSeed(values.integer(field, Long.MIN_VALUE, Long.MAX_VALUE));
      // Zero would mean "not given" in the message.
      case "num_images" -> prompt.setNumImages((int) values.integer(field, 1, Integer.MAX_VALUE));
      case "format" -> prompt.setFormat(values.named(field, PromptEnums.FORMAT));
      case "quality" -> prompt.setQuality((int) values.integer(field, 1, PromptRules.MAX_QUALITY));
      default -> {
        return takeSampling(field);
      }
    }
    if (!field.equals("aspect_ratio") && !field.equals("h_div_w")) {
      give(field, field, "");
    }
    return true;
  }

  private boolean takeSampling(String field) throws IOException, PromptLineException {
    switch (field) {
      case "guidance" -> prompt.getSamplingBuilder().addAllGuidance(values.numbers(field));
      case "guidance_schedule" ->
          prompt
              .getSamplingBuilder()
              .setGuidanceSchedule(values.named(field, PromptEnums.GUIDANCE_SCHEDULE));
      case "guidance_layers" ->
          prompt.getSamplingBuilder().addAllGuidanceLayers(values.integers(field));
      case "temperature" -> prompt.getSamplingBuilder().addAllTemperature(values.numbers(field));
      case "top_p" -> prompt.getSamplingBuilder().setTopP(values.number(field));
      case "top_k" ->
          prompt
              .getSamplingBuilder()
              .setTopK((int) values.integer(field, 0, SamplingRules.MAX_TOP_K));
      case "greedy" -> prompt.getSamplingBuilder().setGreedy(values.truth(field));
      case "preset" ->
          prompt.getSamplingBuilder().setPreset(values.named(field, PromptEnums.PRESET));
      default -> {
        return false;
      }
    }
    return true;
  }
}
