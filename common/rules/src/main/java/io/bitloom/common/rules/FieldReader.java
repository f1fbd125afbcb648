package io.bitloom.common.rules;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the values of an object's fields strictly: a value of another type and a number that the
 * field cannot hold are errors that name the field and show the value.
 */
final class FieldReader {

  private static final int MAX_NUMBER_CHARACTERS = 64;

  private final JsonReader json;
  private final String parent;

  /**
   * @param json stands before the value that is read next
   * @param parent starts the names of fields in messages: {@code body.}, or empty
   */
  FieldReader(JsonReader json, String parent) {
    this.json = json;
    this.parent = parent;
  }

  /** The error of a field. */
  PromptLineException wrong(String field, String value, String problem) {
    return new PromptLineException(parent + field, value, problem);
  }

  String text(String field) throws IOException, PromptLineException {
    expect(JsonToken.STRING, field, "must be text");
    String text = json.nextString();
    if (hasLoneSurrogate(text)) {
      throw wrong(field, text, "holds half of a surrogate pair, which is no character");
    }
    return text;
  }

  String filledText(String field) throws IOException, PromptLineException {
    String text = text(field);
    if (text.isEmpty()) {
      throw wrong(field, "", "must not be empty");
    }
    return text;
  }

  boolean truth(String field) throws IOException, PromptLineException {
    expect(JsonToken.BOOLEAN, field, "must be true or false");
    return json.nextBoolean();
  }

  <E extends Enum<E>> E named(String field, Class<E> type) throws IOException, PromptLineException {
    String name = text(field);
    return Labels.find(type, name)
        .orElseThrow(() -> wrong(field, name, "must be one of " + Labels.all(type)));
  }

  List<Double> numbers(String field) throws IOException, PromptLineException {
    return listOf(field, () -> number(field));
  }

  List<Integer> integers(String field) throws IOException, PromptLineException {
    return listOf(field, () -> (int) integer(field, Integer.MIN_VALUE, Integer.MAX_VALUE));
  }

  double number(String field) throws IOException, PromptLineException {
    String literal = numberLiteral(field, "must be a number");
    double number = Double.parseDouble(literal);
    if (Double.isInfinite(number)) {
      throw wrong(field, literal, "is too large");
    }
    return number;
  }

  long integer(String field, long min, long max) throws IOException, PromptLineException {
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
    throw wrong(field, literal, wanted);
  }

  /** Whether the next value is of a type. */
  boolean is(JsonToken type) throws IOException {
    return json.peek() == type;
  }

  void skip() throws IOException {
    json.skipValue();
  }

  void expect(JsonToken type, String field, String wanted) throws IOException, PromptLineException {
    if (!is(type)) {
      throw wrong(field, shownValue(), wanted);
    }
  }

  /** The next value for a message; what is inside an object or a list is not read. */
  String shownValue() throws IOException {
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

  /** Reads one value. */
  private interface Reading<T> {
    T next() throws IOException, PromptLineException;
  }

  /** A list, or a single value for a list of one. */
  private <T> List<T> listOf(String field, Reading<T> reading)
      throws IOException, PromptLineException {
    if (!is(JsonToken.BEGIN_ARRAY)) {
      return List.of(reading.next());
    }
    List<T> values = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      values.add(reading.next());
    }
    json.endArray();
    if (values.isEmpty()) {
      throw wrong(field, "[]", "must not be an empty list");
    }
    return values;
  }

  private String numberLiteral(String field, String wanted)
      throws IOException, PromptLineException {
    expect(JsonToken.NUMBER, field, wanted);
    String literal = json.nextString();
    if (literal.length() > MAX_NUMBER_CHARACTERS) {
      throw wrong(field, literal, "has too many digits");
    }
    return literal;
  }

  private static boolean hasLoneSurrogate(String text) {
    return text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }
}
