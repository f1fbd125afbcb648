package io.bitloom.engine.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The members of a JSON object by name and kind. A member that is missing or of another kind is
 * reported with file and path.
 */
public final class JsonFields {
  private final String source;
  private final String path;
  private final JsonObject json;

  private JsonFields(String source, String path, JsonObject json) {
    this.source = source;
    this.path = path;
    this.json = json;
  }

  /** The members of an object; {@code source} names its file in messages. */
  public static JsonFields of(String source, JsonObject json) {
    return new JsonFields(source, "", json);
  }

  /** Names the file in messages. */
  public String source() {
    return source;
  }

  /** The object itself. */
  public JsonObject json() {
    return json;
  }

  /** The names of all members, in file order. */
  public Set<String> names() {
    return json.keySet();
  }

  /** Whether there is a member of this name. */
  public boolean has(String name) {
    return json.has(name);
  }

  /**
   * Checks that there are no other members than these.
   *
   * @throws WeightsException naming one that is not known
   */
  public void onlyMembers(String... known) {
    List<String> allowed = List.of(known);
    for (String name : names()) {
      if (!allowed.contains(name)) {
        throw new WeightsException(
            source, path + name + " is not known, expected " + String.join(", ", allowed));
      }
    }
  }

  /** The object of this name. */
  public JsonFields object(String name) {
    JsonElement element = element(name);
    if (!element.isJsonObject()) {
      throw fault(name, "an object", element);
    }
    return new JsonFields(source, path + name + ".", element.getAsJsonObject());
  }

  /** The text of this name. */
  public String text(String name) {
    JsonElement element = element(name);
    if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isString()) {
      throw fault(name, "a text", element);
    }
    return element.getAsString();
  }

  /** The 32-bit integer of this name. */
  public int integer(String name) {
    return number(name, element(name), text -> Integer.parseInt(text), "a 32-bit integer");
  }

  /** The 64-bit integer of this name. */
  public long longInteger(String name) {
    return number(name, element(name), text -> Long.parseLong(text), "a 64-bit integer");
  }

  /** The number of this name. */
  public double number(String name) {
    return number(name, element(name), text -> Double.parseDouble(text), "a number");
  }

  /** The array of 64-bit integers of this name. */
  public long[] integers(String name) {
    return elements(name).stream()
        .mapToLong(item -> number(name, item, text -> Long.parseLong(text), "64-bit integers"))
        .toArray();
  }

  /** The array of numbers of this name. */
  public double[] numbers(String name) {
    return elements(name).stream()
        .mapToDouble(item -> number(name, item, text -> Double.parseDouble(text), "numbers"))
        .toArray();
  }

  /** The array of this name, whose items are of any kind. */
  public List<JsonElement> elements(String name) {
    JsonElement element = element(name);
    if (!element.isJsonArray()) {
      throw fault(name, "an array", element);
    }
    return new ArrayList<>(element.getAsJsonArray().asList());
  }

  private JsonElement element(String name) {
    JsonElement element = json.get(name);
    if (element == null) {
      throw new WeightsException(source, path + name + " is missing");
    }
    return element;
  }

  private <T> T number(
      String name, JsonElement element, Function<String, T> parse, String expected) {
    if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()) {
      try {
        return parse.apply(element.getAsString());
      } catch (NumberFormatException e) {
        throw fault(name, expected, element);
      }
    }
    throw fault(name, expected, element);
  }

  private WeightsException fault(String name, String expected, JsonElement found) {
    String text = found.toString();
    return new WeightsException(
        source,
        path
            + name
            + ": expected "
            + expected
            + ", found "
            + (text.length() > 40 ? text.substring(0, 40) + "..." : text));
  }
}
