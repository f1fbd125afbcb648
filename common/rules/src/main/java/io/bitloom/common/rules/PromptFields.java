package io.bitloom.common.rules;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** The fields of a prompt in the object that is read, and what they make. */
final class PromptFields {

  private final FieldReader values;
  private final ImagePrompt.Builder prompt;
  private final SamplingParameters.Builder sampling = SamplingParameters.builder();

  /** What was given, by the field that gave it: two fields may stand for the same thing. */
  private final Map<String, String> givenBy = new HashMap<>();

  /**
   * @param values of the object's fields
   * @param prompt is given what the fields say
   */
  PromptFields(FieldReader values, ImagePrompt.Builder prompt) {
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
      case "prompt" -> prompt.text(values.text(field));
      case "negative_prompt" -> prompt.negativePrompt(values.text(field));
      case "enable_positive_prompt" -> prompt.enablePositivePrompt(values.truth(field));
      case "aspect_ratio" -> {
        String ratio = values.filledText(field);
        prompt.aspectRatio(ratio);
        give("shape", field, ratio);
      }
      case "h_div_w" -> {
        double hDivW = values.number(field);
        prompt.hDivW(hDivW);
        give("shape", field, "" + hDivW);
      }
      case "size" -> prompt.size(values.filledText(field));
      case "seed" -> prompt.seed(values.integer(field, Long.MIN_VALUE, Long.MAX_VALUE));
      case "num_images" -> prompt.numImages((int) values.integer(field, 1, Integer.MAX_VALUE));
      case "format" -> prompt.format(values.named(field, ImagePrompt.Format.class));
      case "quality" ->
          prompt.quality((int) values.integer(field, 1, ImagePromptRules.MAX_QUALITY));
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
      case "guidance" -> sampling.guidance(values.numbers(field));
      case "guidance_schedule" ->
          sampling.guidanceSchedule(values.named(field, SamplingParameters.GuidanceSchedule.class));
      case "guidance_layers" -> sampling.guidanceLayers(values.integers(field));
      case "temperature" -> sampling.temperature(values.numbers(field));
      case "top_p" -> sampling.topP(values.number(field));
      case "top_k" -> sampling.topK((int) values.integer(field, 0, SamplingRules.MAX_TOP_K));
      case "greedy" -> sampling.greedy(values.truth(field));
      case "preset" -> sampling.preset(values.named(field, SamplingParameters.Preset.class));
      default -> {
        return false;
      }
    }
    prompt.sampling(sampling.build());
    return true;
  }
}
