package io.bitloom.common.rules;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The request of a line of an OpenAI batch file, {@code POST /v1/images/generations}, as a prompt:
 *
 * <ul>
 *   <li>{@code n} is {@code num_images}, {@code output_format} is {@code format}, {@code
 *       output_compression} is {@code quality};
 *   <li>{@code size} as {@code WIDTHxHEIGHT} is the aspect ratio, of which the nearest template is
 *       drawn; how many pixels that makes is the matter of the model or of the job. {@code auto}
 *       says nothing;
 *   <li>every other field of a prompt line may be there under its own name;
 *   <li>what has no meaning here ({@code model}, {@code user}, …) is passed over.
 * </ul>
 *
 * <p>{@code null} stands for a field that is not there, as in OpenAI's own interface.
 */
final class OpenAiRequest {

  private static final String ENDPOINT = "/v1/images/generations";
  private static final Pattern PIXELS = Pattern.compile("(\\d{1,5})[xX](\\d{1,5})");

  private final JsonReader json;
  private final FieldReader values;
  private final PromptFields fields;
  private final ImagePrompt.Builder prompt;
  private final Consumer<String> withoutUse;

  /**
   * @param json stands before the value of {@code body}
   * @param prompt is given what the request says
   * @param withoutUse told of every field that is passed over
   */
  OpenAiRequest(JsonReader json, ImagePrompt.Builder prompt, Consumer<String> withoutUse) {
    this.json = json;
    this.values = new FieldReader(json, "body.");
    this.fields = new PromptFields(values, prompt);
    this.prompt = prompt;
    this.withoutUse = withoutUse;
  }

  static void checkMethod(FieldReader line) throws IOException, PromptLineException {
    String method = line.text("method");
    if (!method.equals("POST")) {
      throw line.wrong("method", method, "must be POST");
    }
  }

  static void checkUrl(FieldReader line) throws IOException, PromptLineException {
    String url = line.text("url");
    if (!url.endsWith(ENDPOINT)) {
      throw line.wrong("url", url, "must be " + ENDPOINT);
    }
  }

  /** Reads the body. */
  void readBody() throws IOException, PromptLineException {
    Set<String> seen = new HashSet<>();
    json.beginObject();
    while (json.hasNext()) {
      String field = json.nextName();
      if (!seen.add(field)) {
        throw values.wrong(field, values.shownValue(), "is there twice");
      }
      if (values.is(JsonToken.NULL)) {
        values.skip();
      } else {
        take(field);
      }
    }
    json.endObject();
    if (!fields.has("prompt")) {
      throw values.wrong("prompt", "", "is missing");
    }
  }

  private void take(String field) throws IOException, PromptLineException {
    switch (field) {
      case "n" -> {
        int images = (int) values.integer(field, 1, Integer.MAX_VALUE);
        prompt.numImages(images);
        fields.give("num_images", field, "" + images);
      }
      case "size" -> takeSize(values.filledText(field));
      case "output_format" -> {
        ImagePrompt.Format format = values.named(field, ImagePrompt.Format.class);
        prompt.format(format);
        fields.give("format", field, format.label());
      }
      case "output_compression" -> {
        // OpenAI's goes down to 0, for which encoders have no other quality than their lowest.
        int quality = (int) Math.max(1, values.integer(field, 0, ImagePromptRules.MAX_QUALITY));
        prompt.quality(quality);
        fields.give("quality", field, "" + quality);
      }
      case "quality" -> takeQuality();
      case "background" -> takeBackground();
      case "model", "user", "moderation", "response_format", "style", "stream", "partial_images" ->
          passOver(field);
      default -> {
        if (!fields.take(field)) {
          throw values.wrong(field, values.shownValue(), "is not a known field");
        }
      }
    }
  }

  private void takeSize(String size) throws PromptLineException {
    Matcher pixels = PIXELS.matcher(size);
    if (pixels.matches()) {
      String ratio = pixels.group(1) + ":" + pixels.group(2);
      AspectRatio shape =
          AspectRatio.parse(ratio)
              .orElseThrow(
                  () -> values.wrong("size", size, "must have a width and a height above 0"));
      if (!ScaleSchedules.covers(shape.hDivW())) {
        throw values.wrong("size", size, "must have a shape " + AspectRatio.range());
      }
      prompt.aspectRatio(ratio);
      fields.give("shape", "size", size);
    } else if (SizeClass.find(size).isPresent()) {
      prompt.size(size);
    } else if (!size.equals("auto")) {
      throw values.wrong(
          "size", size, "must be auto, a width and height such as 1024x1536, or a size class");
    }
  }

  /** A number is that of the encoder; OpenAI's words say how much work a picture is worth. */
  private void takeQuality() throws IOException, PromptLineException {
    if (values.is(JsonToken.STRING)) {
      passOver("quality");
    } else {
      fields.take("quality");
    }
  }

  private void takeBackground() throws IOException, PromptLineException {
    String background = values.text("background");
    if (!background.equals("auto") && !background.equals("opaque")) {
      throw values.wrong(
          "background", background, "must be auto or opaque: pictures have no transparent places");
    }
  }

  private void passOver(String field) throws IOException {
    values.skip();
    withoutUse.accept("body." + field);
  }
}
