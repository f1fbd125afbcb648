package io.bitloom.common.json;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Reads the JSON that {@link MessageJson} writes, and proto3 JSON as other programs write it: names
 * of fields also in camel case, values of enums also with their prefix, 64-bit integers also as
 * strings. All else is an error that names the field: one that is not known, one that is there
 * twice, a value that it cannot hold, two fields that exclude each other. {@code null} is the same
 * as leaving a field out.
 */
public final class MessageReader {

  /** Our messages nest six deep. */
  private static final int MAX_DEPTH = 32;

  private final JsonReader json;

  private MessageReader(JsonReader json) {
    this.json = json;
  }

  /**
   * Reads one object, and nothing after it, into a message.
   *
   * @param place starts the names of fields in errors: {@code job.}, or empty
   * @throws BitloomException {@code MALFORMED_MESSAGE} if it is no such JSON, {@code INVALID_FIELD}
   *     if a field is wrong
   * @throws IOException of the reader
   */
  public static void read(Reader text, Message.Builder into, String place) throws IOException {
    JsonReader json = new JsonReader(text);
    json.setStrictness(Strictness.STRICT);
    json.setNestingLimit(MAX_DEPTH);
    try {
      MessageReader reader = new MessageReader(json);
      if (json.peek() != JsonToken.BEGIN_OBJECT) {
        throw malformed("must be a JSON object");
      }
      reader.object(into, place);
      if (json.peek() != JsonToken.END_DOCUMENT) {
        throw malformed("there is more text after the JSON object");
      }
    } catch (CharacterCodingException e) {
      throw malformed("not valid UTF-8");
    } catch (EOFException e) {
      throw malformed("the JSON object is not complete");
    } catch (MalformedJsonException | JsonParseException | NumberFormatException e) {
      throw malformed("not valid JSON " + place(json));
    }
  }

  /** Likewise, of a text. */
  public static void read(String text, Message.Builder into) {
    try {
      read(new StringReader(text), into, "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Sets a field to what a text says, as parts of a URL do; adds it if the field is repeated.
   *
   * @param name of the field in errors
   * @throws BitloomException {@code INVALID_FIELD} if the field cannot hold it
   */
  public static void set(Message.Builder into, FieldDescriptor field, String name, String text) {
    Object value =
        field.getJavaType() == JavaType.MESSAGE
            ? TextValues.message(field.getMessageType(), name, text)
            : TextValues.scalar(field, name, text);
    if (field.isRepeated()) {
      into.addRepeatedField(field, value);
    } else {
      into.setField(field, value);
    }
  }

  /**
   * The field of a type that a name of JSON means.
   *
   * @return null if there is none
   */
  public static FieldDescriptor find(Descriptor type, String name) {
    FieldDescriptor field = type.findFieldByName(name);
    if (field != null) {
      return field;
    }
    return type.getFields().stream()
        .filter(known -> known.getJsonName().equals(name))
        .findFirst()
        .orElse(null);
  }

  private static BitloomException malformed(String why) {
    return new BitloomException(ErrorCode.MALFORMED_MESSAGE, "the body: " + why);
  }

  /** The error of a field whatever its value. */
  private static BitloomException refused(String path, String why) {
    String shown = FieldViolation.shown(path);
    return new BitloomException(ErrorCode.INVALID_FIELD, shown + " " + why, shown, "");
  }

  private static String place(JsonReader json) {
    return String.format(Locale.ROOT, "at %s", FieldViolation.shown(json.getPath()));
  }

  private void object(Message.Builder into, String place) throws IOException {
    Descriptor type = into.getDescriptorForType();
    Set<FieldDescriptor> seen = new HashSet<>();
    Set<OneofDescriptor> chosen = new HashSet<>();
    json.beginObject();
    while (json.hasNext()) {
      String name = json.nextName();
      FieldDescriptor field = find(type, name);
      if (field == null) {
        throw refused(place + name, "is not a field of " + type.getName());
      }
      String path = place + field.getName();
      if (!seen.add(field)) {
        throw refused(path, "is there twice");
      }
      if (json.peek() == JsonToken.NULL) {
        json.nextNull();
        continue;
      }
      OneofDescriptor oneof = field.getRealContainingOneof();
      if (oneof != null && !chosen.add(oneof)) {
        throw refused(path, "excludes the other " + oneof.getName());
      }
      field(into, field, path);
    }
    json.endObject();
  }

  private void field(Message.Builder into, FieldDescriptor field, String path) throws IOException {
    if (field.isMapField()) {
      map(into, field, path);
    } else if (field.isRepeated()) {
      expect(JsonToken.BEGIN_ARRAY, path, "must be an array");
      json.beginArray();
      for (int i = 0; json.hasNext(); i++) {
        into.addRepeatedField(field, value(into, field, path + "[" + i + "]"));
      }
      json.endArray();
    } else {
      into.setField(field, value(into, field, path));
    }
  }

  private void map(Message.Builder into, FieldDescriptor field, String path) throws IOException {
    expect(JsonToken.BEGIN_OBJECT, path, "must be an object");
    FieldDescriptor key = field.getMessageType().findFieldByName("key");
    FieldDescriptor value = field.getMessageType().findFieldByName("value");
    Set<String> seen = new HashSet<>();
    json.beginObject();
    while (json.hasNext()) {
      String name = json.nextName();
      String place = path + "." + name;
      if (!seen.add(name)) {
        throw refused(place, "is there twice");
      }
      Message.Builder entry = into.newBuilderForField(field);
      entry.setField(key, TextValues.scalar(key, path, name));
      entry.setField(value, value(entry, value, place));
      into.addRepeatedField(field, entry.build());
    }
    json.endObject();
  }

  private Object value(Message.Builder parent, FieldDescriptor field, String path)
      throws IOException {
    return switch (field.getJavaType()) {
      case MESSAGE -> message(parent, field, path);
      case BOOLEAN -> {
        expect(JsonToken.BOOLEAN, path, "must be true or false");
        yield json.nextBoolean();
      }
      case INT, LONG, FLOAT, DOUBLE -> {
        expect(List.of(JsonToken.NUMBER, JsonToken.STRING), path, "must be a number");
        yield TextValues.scalar(field, path, json.nextString());
      }
      case STRING, BYTE_STRING, ENUM -> {
        expect(JsonToken.STRING, path, "must be text");
        yield TextValues.scalar(field, path, json.nextString());
      }
    };
  }

  private Message message(Message.Builder parent, FieldDescriptor field, String path)
      throws IOException {
    Descriptor type = field.getMessageType();
    if (TextValues.isText(type)) {
      String rule =
          type == FieldMask.getDescriptor() ? "must be names with commas" : "must be text";
      expect(JsonToken.STRING, path, rule);
      return TextValues.message(type, path, json.nextString());
    }
    expect(JsonToken.BEGIN_OBJECT, path, "must be an object");
    Message.Builder nested = parent.newBuilderForField(field);
    object(nested, path + ".");
    return nested.build();
  }

  private void expect(JsonToken token, String path, String rule) throws IOException {
    expect(List.of(token), path, rule);
  }

  private void expect(List<JsonToken> tokens, String path, String rule) throws IOException {
    JsonToken next = json.peek();
    if (!tokens.contains(next)) {
      String shown =
          switch (next) {
            case STRING, NUMBER -> json.nextString();
            case BOOLEAN -> Boolean.toString(json.nextBoolean());
            case NULL -> "null";
            case BEGIN_ARRAY -> "[…]";
            default -> "{…}";
          };
      throw BitloomException.invalid(path, shown, rule);
    }
  }
}
