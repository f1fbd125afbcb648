package io.bitloom.common.prompt;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;
import com.google.protobuf.ProtocolMessageEnum;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of a JSONL prompt file: a JSON object with the fields of {@link Prompt}, of which only
 * {@code prompt} is required.
 *
 * <pre>{@code
 * {"custom_id": "cat-1", "prompt": "a cat", "aspect_ratio": "3:2", "size": "0.25M", "seed": 7}
 * }</pre>
 *
 * <p>The line is read strictly: an unknown or repeated field, a value of another type, a number
 * that JSON or the field cannot hold and text after the object are errors. Whether values make
 * sense together is the matter of {@link PromptRules}.
 */
public final class PromptLine {

  /** Longest line that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  /** What an exported prompt came to; a prompt that is read again has no use for it. */
  private static final String OUTCOME = "outcome";

  private static final int MAX_NUMBER_CHARACTERS = 64;
  private static final Pattern COLUMN = Pattern.compile("column (\\d+)");

  private final JsonReader json;
  private final Prompt.Builder prompt = Prompt.newBuilder();

  private PromptLine(JsonReader json) {
    this.json = json;
  }

  /** Reads one line, without its line end. */
  public static Prompt parse(String line) throws PromptLineException {
    return read(line, true);
  }

  /** Reads an object of the same fields that needs not have a prompt: defaults for others. */
  public static Prompt parseDefaults(String object) throws PromptLineException {
    return read(object, false);
  }

  private static Prompt read(String text, boolean needsPrompt) throws PromptLineException {
    try (JsonReader json = new JsonReader(new StringReader(text))) {
      json.setStrictness(Strictness.STRICT);
      return new PromptLine(json).readDocument(needsPrompt);
    } catch (EOFException e) {
      throw new PromptLineException("", "", "the JSON object is not complete");
    } catch (MalformedJsonException e) {
      Matcher column = COLUMN.matcher(e.getMessage());
      String place = column.find() ? " at column " + column.group(1) : "";
      throw new PromptLineException("", "", "not valid JSON" + place);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a prompt as one line, without a line end; {@link #parse} gives the prompt back. */
  public static String format(Prompt prompt) {
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
  public static void write(Prompt prompt, JsonWriter json) throws IOException {
    writeText(json, "custom_id", prompt.getCustomId());
    writeText(json, "prompt", prompt.getPrompt());
    writeText(json, "negative_prompt", prompt.getNegativePrompt());
    if (prompt.hasEnablePositivePrompt()) {
      json.name("enable_positive_prompt").value(prompt.getEnablePositivePrompt());
    }
    writeText(json, "aspect_ratio", prompt.getAspectRatio());
    if (prompt.hasHDivW()) {
      json.name("h_div_w").value(prompt.getHDivW());
    }
    writeText(json, "size", prompt.getSize());
    if (prompt.hasSeed()) {
      json.name("seed").value(prompt.getSeed());
    }
    Sampling sampling = prompt.getSampling();
    writeNumbers(json, "guidance", sampling.getGuidanceList());
    writeText(
        json,
        "guidance_schedule",
        PromptEnums.GUIDANCE_SCHEDULE.of(sampling.getGuidanceSchedule()));
    writeNumbers(json, "guidance_layers", sampling.getGuidanceLayersList());
    writeNumbers(json, "temperature", sampling.getTemperatureList());
    if (sampling.hasTopP()) {
      json.name("top_p").value(sampling.getTopP());
    }
    if (sampling.hasTopK()) {
      json.name("top_k").value(sampling.getTopK());
    }
    if (sampling.getGreedy()) {
      json.name("greedy").value(true);
    }
    writeText(json, "preset", PromptEnums.PRESET.of(sampling.getPreset()));
    if (prompt.getNumImages() != 0) {
      json.name("num_images").value(prompt.getNumImages());
    }
    writeText(json, "format", PromptEnums.FORMAT.of(prompt.getFormat()));
    if (prompt.hasQuality()) {
      json.name("quality").value(prompt.getQuality());
    }
  }

  private Prompt readDocument(boolean needsPrompt) throws IOException, PromptLineException {
    if (json.peek() != JsonToken.BEGIN_OBJECT) {
      throw new PromptLineException("", shownValue(), "must be one JSON object");
    }
    Set<String> seen = new HashSet<>();
    json.beginObject();
    while (json.hasNext()) {
      String field = json.nextName();
      if (!seen.add(field)) {
        throw new PromptLineException(field, shownValue(), "is there twice");
      }
      readField(field);
    }
    json.endObject();
    if (json.peek() != JsonToken.END_DOCUMENT) {
      throw new PromptLineException("", "", "there is more text after the JSON object");
    }
    if (needsPrompt && !seen.contains("prompt")) {
      throw new PromptLineException("prompt", "", "is missing");
    }
    if (seen.contains("aspect_ratio") && seen.contains("h_div_w")) {
      throw new PromptLineException(
          "h_div_w", "" + prompt.getHDivW(), "and aspect_ratio exclude each other");
    }
    return prompt.build();
  }

  private void readField(String field) throws IOException, PromptLineException {
    switch (field) {
      case "custom_id" -> prompt.setCustomId(filledText(field));
      case "prompt" -> prompt.setPrompt(text(field));
      case "negative_prompt" -> prompt.setNegativePrompt(text(field));
      case "enable_positive_prompt" -> prompt.setEnablePositivePrompt(truth(field));
      case "aspect_ratio" -> prompt.setAspectRatio(filledText(field));
      case "h_div_w" -> prompt.setHDivW(number(field));
      case "size" -> prompt.setSize(filledText(field));
      case "seed" -> prompt.setSeed(integer(field, Long.MIN_VALUE, Long.MAX_VALUE));
      case "guidance" -> prompt.getSamplingBuilder().addAllGuidance(numbers(field));
      case "guidance_schedule" ->
          prompt
              .getSamplingBuilder()
              .setGuidanceSchedule(named(field, PromptEnums.GUIDANCE_SCHEDULE));
      case "guidance_layers" -> prompt.getSamplingBuilder().addAllGuidanceLayers(integers(field));
      case "temperature" -> prompt.getSamplingBuilder().addAllTemperature(numbers(field));
      case "top_p" -> prompt.getSamplingBuilder().setTopP(number(field));
      case "top_k" ->
          prompt.getSamplingBuilder().setTopK((int) integer(field, 0, SamplingRules.MAX_TOP_K));
      case "greedy" -> prompt.getSamplingBuilder().setGreedy(truth(field));
      // Zero would mean "not given" in the message.
      case "num_images" -> prompt.setNumImages((int) integer(field, 1, Integer.MAX_VALUE));
      case "preset" -> prompt.getSamplingBuilder().setPreset(named(field, PromptEnums.PRESET));
      case "format" -> prompt.setFormat(named(field, PromptEnums.FORMAT));
      case "quality" -> prompt.setQuality((int) integer(field, 1, PromptRules.MAX_QUALITY));
      case OUTCOME -> json.skipValue();
      default -> throw new PromptLineException(field, shownValue(), "is not a known field");
    }
  }

  private String text(String field) throws IOException, PromptLineException {
    expect(JsonToken.STRING, field, "must be text");
    String text = json.nextString();
    if (hasLoneSurrogate(text)) {
      throw new PromptLineException(
          field, text, "holds half of a surrogate pair, which is no character");
    }
    return text;
  }

  private String filledText(String field) throws IOException, PromptLineException {
    String text = text(field);
    if (text.isEmpty()) {
      throw new PromptLineException(field, "", "must not be empty");
    }
    return text;
  }

  private boolean truth(String field) throws IOException, PromptLineException {
    expect(JsonToken.BOOLEAN, field, "must be true or false");
    return json.nextBoolean();
  }

  private <E extends ProtocolMessageEnum> E named(String field, EnumNames<E> names)
      throws IOException, PromptLineException {
    String name = text(field);
    return names
        .find(name)
        .orElseThrow(() -> new PromptLineException(field, name, "must be one of " + names.all()));
  }

  private List<Double> numbers(String field) throws IOException, PromptLineException {
    return listOf(field, () -> number(field));
  }

  private List<Integer> integers(String field) throws IOException, PromptLineException {
    return listOf(field, () -> (int) integer(field, Integer.MIN_VALUE, Integer.MAX_VALUE));
  }

  /** Reads one value. */
  private interface Reading<T> {
    T next() throws IOException, PromptLineException;
  }

  /** A list, or a single value for a list of one. */
  private <T> List<T> listOf(String field, Reading<T> reading)
      throws IOException, PromptLineException {
    if (json.peek() != JsonToken.BEGIN_ARRAY) {
      return List.of(reading.next());
    }
    List<T> values = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      values.add(reading.next());
    }
    json.endArray();
    if (values.isEmpty()) {
      throw new PromptLineException(field, "[]", "must not be an empty list");
    }
    return values;
  }

  private double number(String field) throws IOException, PromptLineException {
    String literal = numberLiteral(field, "must be a number");
    double number = Double.parseDouble(literal);
    if (Double.isInfinite(number)) {
      throw new PromptLineException(field, literal, "is too large");
    }
    return number;
  }

  private long integer(String field, long min, long max) throws IOException, PromptLineException {
    String wanted = "must be a whole number from " + min + " to " + max;
    String literal = numberLiteral(field, wanted);
    try {
      long integer = new BigDecimal(literal).longValueExact();
      if (integer >= min && integer <= max) {
        return integer;
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Not an integer, or not one of 64 bits: the same error as one that is out of range.
    }
    throw new PromptLineException(field, literal, wanted);
  }

  private String numberLiteral(String field, String wanted)
      throws IOException, PromptLineException {
    expect(JsonToken.NUMBER, field, wanted);
    String literal = json.nextString();
    if (literal.length() > MAX_NUMBER_CHARACTERS) {
      throw new PromptLineException(field, literal, "has too many digits");
    }
    return literal;
  }

  private void expect(JsonToken type, String field, String wanted)
      throws IOException, PromptLineException {
    if (json.peek() != type) {
      throw new PromptLineException(field, shownValue(), wanted);
    }
  }

  /** The next value for a message; what is inside an object or a list is not read. */
  private String shownValue() throws IOException {
    return switch (json.peek()) {
      case STRING -> '"' + json.nextString() + '"';
      case NUMBER -> json.nextString();
      case BOOLEAN -> Boolean.toString(json.nextBoolean());
      case NULL -> "null";
      case BEGIN_ARRAY -> "[…]";
      case BEGIN_OBJECT -> "{…}";
      default -> "";
    };
  }

  private static boolean hasLoneSurrogate(String text) {
    return text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  private static void writeText(JsonWriter json, String name, String value) throws IOException {
    if (!value.isEmpty()) {
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
