package io.bitloom.common.rules;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One line of a JSONL prompt file: a JSON object with the fields of an {@link ImagePrompt}, of
 * which only {@code prompt} is required.
 *
 * <pre>{@code
 * {"custom_id": "cat-1", "prompt": "a cat", "aspect_ratio": "3:2", "size": "0.25M", "seed": 7}
 * }</pre>
 *
 * <p>The line is read strictly: an unknown or repeated field, a value of another type, a number
 * that JSON or the field cannot hold and text after the object are errors; a bare control character
 * in a text is not. Whether values make sense together is the matter of {@link ImagePromptRules}.
 *
 * <p>A line of an OpenAI batch file is read too: {@link OpenAiRequest}.
 */
public final class PromptJson {

  /** Longest line that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  /** Fields of a line whose value is text. */
  public static final Set<String> TEXT_FIELDS =
      Set.of(
          "custom_id",
          "prompt",
          "negative_prompt",
          "aspect_ratio",
          "size",
          "guidance_schedule",
          "preset",
          "format");

  /** All fields of a line that say something about a prompt. */
  public static final Set<String> FIELDS =
      Stream.concat(
              TEXT_FIELDS.stream(),
              Stream.of(
                  "enable_positive_prompt",
                  "h_div_w",
                  "seed",
                  "guidance",
                  "guidance_layers",
                  "temperature",
                  "top_p",
                  "top_k",
                  "greedy",
                  "num_images",
                  "quality"))
          .collect(Collectors.toUnmodifiableSet());

  /** What an exported prompt came to; a prompt that is read again has no use for it. */
  private static final String OUTCOME = "outcome";

  private static final String CUSTOM_ID = "custom_id";
  private static final String BODY = "body";

  /** Fields of a line of an OpenAI batch. */
  private static final Set<String> OPENAI = Set.of("method", "url", BODY);

  private final JsonReader json;
  private final FieldReader values;
  private final PromptFields fields;
  private final Consumer<String> withoutUse;
  private final ImagePrompt.Builder prompt = ImagePrompt.builder("");

  private PromptJson(JsonReader json, Consumer<String> withoutUse) {
    this.json = json;
    this.values = new FieldReader(json, "");
    this.fields = new PromptFields(values, prompt);
    this.withoutUse = withoutUse;
  }

  /** Reads one line, without its line end. */
  public static ImagePrompt parse(String line) throws PromptLineException {
    return parse(line, field -> {});
  }

  /**
   * Reads one line, without its line end.
   *
   * @param withoutUse told of fields that are known and mean nothing here
   */
  public static ImagePrompt parse(String line, Consumer<String> withoutUse)
      throws PromptLineException {
    return read(withEscapedControls(line), true, withoutUse);
  }

  /** Reads an object of the same fields that needs not have a prompt: defaults for others. */
  public static ImagePrompt parseDefaults(String object) throws PromptLineException {
    return read(object, false, field -> {});
  }

  private static ImagePrompt read(String text, boolean isLine, Consumer<String> withoutUse)
      throws PromptLineException {
    if (JsonFault.isCsvQuoted(text)) {
      throw JsonFault.of(text, "");
    }
    try (JsonReader json = new JsonReader(new StringReader(text))) {
      json.setStrictness(Strictness.STRICT);
      return new PromptJson(json, withoutUse).readDocument(isLine);
    } catch (EOFException e) {
      throw PromptLineException.ofLine("the JSON object is not complete", "");
    } catch (MalformedJsonException e) {
      throw JsonFault.of(text, e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Inside of strings, JSON wants control characters as escapes; who scrapes texts may not know.
   */
  private static String withEscapedControls(String line) {
    if (line.chars().noneMatch(c -> c < ' ')) {
      return line;
    }
    StringBuilder escaped = new StringBuilder(line.length() + 16);
    boolean inString = false;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '"') {
        inString = !inString;
      }
      if (inString && c == '\\' && i + 1 < line.length()) {
        escaped.append(c).append(line.charAt(++i));
      } else if (inString && c < ' ') {
        escaped.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /** Writes a prompt as one line, without a line end; {@link #parse} gives the prompt back. */
  public static String format(ImagePrompt prompt) {
    StringWriter line = new StringWriter();
    try (JsonWriter json = new JsonWriter(line)) {
      json.beginObject();
      write(prompt, json);
      json.endObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return line.toString();
  }

  /** Writes the fields that a prompt has into an object that the caller opened. */
  public static void write(ImagePrompt prompt, JsonWriter json) throws IOException {
    writeText(json, "custom_id", prompt.customId());
    writeText(json, "prompt", prompt.text());
    writeText(json, "negative_prompt", prompt.negativePrompt());
    if (prompt.enablePositivePrompt() != null) {
      json.name("enable_positive_prompt").value(prompt.enablePositivePrompt());
    }
    writeText(json, "aspect_ratio", prompt.aspectRatio());
    writeNumber(json, "h_div_w", prompt.hDivW());
    writeText(json, "size", prompt.size());
    writeNumber(json, "seed", prompt.seed());
    write(prompt.sampling(), json);
    writeNumber(json, "num_images", prompt.numImages());
    writeLabel(json, "format", prompt.format());
    writeNumber(json, "quality", prompt.quality());
  }

  private static void write(SamplingParameters sampling, JsonWriter json) throws IOException {
    writeNumbers(json, "guidance", sampling.guidance());
    writeLabel(json, "guidance_schedule", sampling.guidanceSchedule());
    writeNumbers(json, "guidance_layers", sampling.guidanceLayers());
    writeNumbers(json, "temperature", sampling.temperature());
    writeNumber(json, "top_p", sampling.topP());
    writeNumber(json, "top_k", sampling.topK());
    if (sampling.greedy()) {
      json.name("greedy").value(true);
    }
    writeLabel(json, "preset", sampling.preset());
  }

  private ImagePrompt readDocument(boolean isLine) throws IOException, PromptLineException {
    if (!values.is(JsonToken.BEGIN_OBJECT)) {
      throw new PromptLineException("", values.shownValue(), "must be one JSON object");
    }
    Set<String> seen = new HashSet<>();
    json.beginObject();
    while (json.hasNext()) {
      String field = json.nextName();
      if (!seen.add(field)) {
        throw values.wrong(field, values.shownValue(), "is there twice");
      }
      if (!(isLine && takeOfLine(field)) && !fields.take(field)) {
        throw values.wrong(field, values.shownValue(), "is not a known field");
      }
    }
    json.endObject();
    if (json.peek() != JsonToken.END_DOCUMENT) {
      throw PromptLineException.ofLine("there is more text after the JSON object", "");
    }
    if (seen.stream().anyMatch(OPENAI::contains)) {
      checkOpenAi(seen);
    } else if (isLine && !fields.has("prompt")) {
      throw new PromptLineException("prompt", "", "is missing");
    }
    return prompt.build();
  }

  /** Fields of a line that the defaults of others have not. */
  private boolean takeOfLine(String field) throws IOException, PromptLineException {
    switch (field) {
      case CUSTOM_ID -> prompt.customId(values.filledText(field));
      case "method" -> OpenAiRequest.checkMethod(values);
      case "url" -> OpenAiRequest.checkUrl(values);
      case BODY -> {
        values.expect(JsonToken.BEGIN_OBJECT, field, "must be an object");
        new OpenAiRequest(json, prompt, withoutUse).readBody();
      }
      case OUTCOME -> json.skipValue();
      default -> {
        return false;
      }
    }
    return true;
  }

  private static void checkOpenAi(Set<String> seen) throws PromptLineException {
    if (!seen.contains(BODY)) {
      throw new PromptLineException(BODY, "", "is missing");
    }
    for (String field : seen) {
      if (!OPENAI.contains(field) && !field.equals(CUSTOM_ID) && !field.equals(OUTCOME)) {
        throw new PromptLineException(field, "", "and body exclude each other");
      }
    }
  }

  private static void writeText(JsonWriter json, String name, String value) throws IOException {
    if (value != null && !value.isEmpty()) {
      json.name(name).value(value);
    }
  }

  private static void writeLabel(JsonWriter json, String name, Enum<?> value) throws IOException {
    if (value != null) {
      json.name(name).value(Labels.of(value));
    }
  }

  private static void writeNumber(JsonWriter json, String name, Number value) throws IOException {
    if (value != null) {
      json.name(name).value(value);
    }
  }

  private static void writeNumbers(JsonWriter json, String name, List<? extends Number> values)
      throws IOException {
    if (values.size() == 1) {
      json.name(name).value(values.get(0));
    } else if (!values.isEmpty()) {
      json.name(name).beginArray();
      for (Number value : values) {
        json.value(value);
      }
      json.endArray();
    }
  }
}
