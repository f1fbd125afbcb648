package io.bitloom.common.json;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import io.bitloom.common.error.BitloomException;
import java.math.BigDecimal;
import java.text.ParseException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Set;
import java.util.stream.Collectors;

/** Values of fields that are written as one text, in JSON and in URLs. */
final class TextValues {

  private static final int MAX_NUMBER_CHARACTERS = 64;
  private static final Set<String> NO_NUMBERS = Set.of("NaN", "Infinity", "-Infinity");
  private static final Set<Descriptor> TEXTS =
      Set.of(Timestamp.getDescriptor(), Duration.getDescriptor(), FieldMask.getDescriptor());

  private TextValues() {}

  /** Whether messages of a type are one text in JSON. */
  static boolean isText(Descriptor type) {
    return TEXTS.contains(type);
  }

  /**
   * A message that is one text in JSON.
   *
   * @throws BitloomException {@code INVALID_FIELD} if the text is none, or the type is no such one
   */
  static Message message(Descriptor type, String name, String text) {
    try {
      if (type == Timestamp.getDescriptor()) {
        return Timestamps.parse(text);
      } else if (type == Duration.getDescriptor()) {
        return Durations.parse(text);
      }
    } catch (ParseException e) {
      String rule =
          type == Duration.getDescriptor() ? "seconds such as 1.5s" : "a time of RFC 3339";
      throw BitloomException.invalid(name, text, "must be " + rule);
    }
    if (type == FieldMask.getDescriptor()) {
      return FieldMask.newBuilder()
          .addAllPaths(
              Arrays.stream(text.split(",")).map(String::strip).filter(p -> !p.isEmpty()).toList())
          .build();
    }
    throw BitloomException.invalid(name, text, "has fields of its own and cannot be a text");
  }

  /**
   * A value that is no message.
   *
   * @throws BitloomException {@code INVALID_FIELD} if the field cannot hold it
   */
  static Object scalar(FieldDescriptor field, String name, String text) {
    return switch (field.getJavaType()) {
      case STRING -> characters(name, text);
      case INT -> (int) whole(name, text, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case LONG -> whole(name, text, Long.MIN_VALUE, Long.MAX_VALUE);
      case DOUBLE -> number(name, text);
      case FLOAT -> (float) number(name, text);
      case BOOLEAN -> truth(name, text);
      case BYTE_STRING -> bytes(name, text);
      case ENUM ->
          EnumNames.find(field.getEnumType(), text)
              .orElseThrow(() -> BitloomException.invalid(name, text, "must be " + names(field)));
      case MESSAGE -> throw new IllegalArgumentException(field.getFullName());
    };
  }

  private static String names(FieldDescriptor field) {
    return field.getEnumType().getValues().stream()
        .skip(1)
        .map(EnumNames::of)
        .collect(Collectors.joining(", "));
  }

  private static String characters(String name, String text) {
    boolean half =
        text.codePoints()
            .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    if (half) {
      throw BitloomException.invalid(
          name, text, "holds half of a surrogate pair, which is no character");
    }
    return text;
  }

  private static long whole(String name, String text, long least, long most) {
    try {
      if (text.length() <= MAX_NUMBER_CHARACTERS) {
        long value = new BigDecimal(text).longValueExact();
        if (value >= least && value <= most) {
          return value;
        }
      }
    } catch (ArithmeticException | NumberFormatException e) {
      throw noWhole(name, text);
    }
    throw noWhole(name, text);
  }

  private static BitloomException noWhole(String name, String text) {
    return BitloomException.invalid(name, text, "must be a whole number");
  }

  private static double number(String name, String text) {
    try {
      if (NO_NUMBERS.contains(text)) {
        return Double.parseDouble(text);
      }
      if (text.length() <= MAX_NUMBER_CHARACTERS) {
        double value = new BigDecimal(text).doubleValue();
        if (Double.isFinite(value)) {
          return value;
        }
      }
    } catch (NumberFormatException e) {
      throw BitloomException.invalid(name, text, "must be a number");
    }
    throw BitloomException.invalid(name, text, "must be a number");
  }

  private static boolean truth(String name, String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw BitloomException.invalid(name, text, "must be true or false");
    };
  }

  private static ByteString bytes(String name, String text) {
    try {
      Base64.Decoder decoder =
          text.indexOf('-') >= 0 || text.indexOf('_') >= 0
              ? Base64.getUrlDecoder()
              : Base64.getDecoder();
      return ByteString.copyFrom(decoder.decode(text));
    } catch (IllegalArgumentException e) {
      throw BitloomException.invalid(name, text, "must be Base64");
    }
  }
}
