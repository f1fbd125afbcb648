package io.bitloom.engine.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * JSON by the letter of RFC 8259, with limits that Gson alone does not set: an object must not name
 * a member twice, and nesting and numbers end at sizes that no weight file needs.
 */
public final class StrictJson {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_DIGITS = 64;
  private static final long MAX_BYTES = 256L << 20;

  private StrictJson() {}

  /**
   * The object in a file.
   *
   * @throws WeightsException naming the file, if it cannot be read or is not one JSON object
   */
  public static JsonObject object(Path file) {
    try {
      long bytes = Files.size(file);
      if (bytes > MAX_BYTES) {
        throw new WeightsException(file.toString(), bytes + " bytes are too many for JSON");
      }
      return object(file.toString(), text(file.toString(), Files.readAllBytes(file)));
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The object in a text; {@code source} names it in messages.
   *
   * @throws WeightsException if the text is not one JSON object
   */
  public static JsonObject object(String source, String text) {
    try (JsonReader reader = reader(text)) {
      if (reader.peek() != JsonToken.BEGIN_OBJECT) {
        throw new WeightsException(source, "expected a JSON object, found " + reader.peek());
      }
      JsonObject object = object(source, reader);
      end(source, reader);
      return object;
    } catch (IOException | IllegalStateException e) {
      throw malformed(source, e);
    }
  }

  static JsonReader reader(String text) {
    JsonReader reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    reader.setNestingLimit(MAX_DEPTH);
    return reader;
  }

  static void end(String source, JsonReader reader) throws IOException {
    if (reader.peek() != JsonToken.END_DOCUMENT) {
      throw new WeightsException(source, "has text after the JSON object");
    }
  }

  static WeightsException malformed(String source, Exception e) {
    return new WeightsException(source, "malformed JSON: " + firstLine(e), e);
  }

  static String text(String source, byte[] utf8) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw new WeightsException(source, "JSON text is not UTF-8", e);
    }
  }

  private static JsonElement element(String source, JsonReader reader) throws IOException {
    switch (reader.peek()) {
      case BEGIN_OBJECT:
        return object(source, reader);
      case BEGIN_ARRAY:
        JsonArray array = new JsonArray();
        reader.beginArray();
        while (reader.hasNext()) {
          array.add(element(source, reader));
        }
        reader.endArray();
        return array;
      case STRING:
        return new JsonPrimitive(reader.nextString());
      case NUMBER:
        return new JsonPrimitive(number(source, reader.nextString()));
      case BOOLEAN:
        return new JsonPrimitive(reader.nextBoolean());
      default:
        reader.nextNull();
        return JsonNull.INSTANCE;
    }
  }

  private static BigDecimal number(String source, String digits) {
    if (digits.length() > MAX_DIGITS) {
      throw new WeightsException(source, "JSON has a number of " + digits.length() + " digits");
    }
    return new BigDecimal(digits);
  }

  private static JsonObject object(String source, JsonReader reader) throws IOException {
    JsonObject object = new JsonObject();
    reader.beginObject();
    while (reader.hasNext()) {
      String name = reader.nextName();
      if (object.has(name)) {
        throw new WeightsException(source, "JSON member \"" + name + "\" occurs twice");
      }
      object.add(name, element(source, reader));
    }
    reader.endObject();
    return object;
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
