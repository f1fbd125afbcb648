package io.bitloom.coordinator.http.bridge;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import io.bitloom.common.json.EnumNames;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** Messages as schemas of JSON, as {@link io.bitloom.common.json.MessageJson} writes them. */
final class OpenApiSchemas {

  private static final int MESSAGES = 4; // numbers of fields of FileDescriptorProto
  private static final int ENUMS = 5;
  private static final int MEMBERS = 2; // fields of a message, values of an enum

  private final Comments comments;
  private final Set<Descriptor> known = new HashSet<>();
  private final Deque<Descriptor> unwritten = new ArrayDeque<>();

  OpenApiSchemas(Comments comments) {
    this.comments = comments;
  }

  /** A reference to a message, which is then among {@link #all}. */
  JsonObject reference(Descriptor message) {
    if (known.add(message)) {
      unwritten.add(message);
    }
    return reference(message.getName());
  }

  static JsonObject reference(String name) {
    return object("$ref", "#/components/schemas/" + name);
  }

  /** The messages that were referred to, and those that they refer to. */
  JsonObject all() {
    JsonObject all = new JsonObject();
    while (!unwritten.isEmpty()) {
      Descriptor message = unwritten.poll();
      all.add(message.getName(), message(message));
    }
    return all;
  }

  private JsonObject message(Descriptor message) {
    JsonObject properties = new JsonObject();
    for (FieldDescriptor field : message.getFields()) {
      properties.add(field.getName(), field(field));
    }
    JsonObject schema = type("object");
    describe(schema, comments.of(message, MESSAGES, message.getIndex()));
    schema.add("properties", properties);
    schema.addProperty("additionalProperties", false);
    return schema;
  }

  /** A field, with what is said of it. */
  JsonObject field(FieldDescriptor field) {
    JsonObject schema = withoutWords(field);
    Descriptor message = field.getContainingType();
    describe(schema, comments.of(message, MESSAGES, message.getIndex(), MEMBERS, field.getIndex()));
    return schema;
  }

  private JsonObject withoutWords(FieldDescriptor field) {
    if (field.isMapField()) {
      JsonObject map = type("object");
      map.add("additionalProperties", single(field.getMessageType().findFieldByName("value")));
      return map;
    }
    if (field.isRepeated()) {
      JsonObject array = type("array");
      array.add("items", single(field));
      return array;
    }
    return single(field);
  }

  private JsonObject single(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case STRING -> type("string");
      case BOOLEAN -> type("boolean");
      case INT -> type("integer", "format", "int32");
      case LONG -> type("integer", "format", "int64");
      case FLOAT, DOUBLE -> type("number");
      case BYTE_STRING -> type("string", "contentEncoding", "base64");
      case ENUM -> names(field.getEnumType());
      case MESSAGE -> nested(field.getMessageType());
    };
  }

  private JsonObject nested(Descriptor message) {
    if (message == Timestamp.getDescriptor()) {
      return type("string", "format", "date-time");
    } else if (message == Duration.getDescriptor()) {
      return type("string", "pattern", "^-?[0-9]+(\\.[0-9]{1,9})?s$");
    } else if (message == FieldMask.getDescriptor()) {
      return type("string");
    }
    return reference(message);
  }

  private JsonObject names(EnumDescriptor type) {
    JsonArray names = new JsonArray();
    type.getValues().stream().map(EnumNames::of).forEach(names::add);
    JsonObject schema = type("string");
    schema.add("enum", names);
    StringBuilder words = new StringBuilder(comments.of(type, ENUMS, type.getIndex()));
    for (EnumValueDescriptor value : type.getValues()) {
      String said = comments.of(value, ENUMS, type.getIndex(), MEMBERS, value.getIndex());
      if (!said.isEmpty()) {
        words.append("\n- `").append(EnumNames.of(value)).append("`: ").append(said);
      }
    }
    describe(schema, words.toString());
    return schema;
  }

  /** What a field says goes before what its type says. */
  private static void describe(JsonObject schema, String words) {
    if (!words.isEmpty()) {
      String more = schema.has("description") ? "\n" + schema.get("description").getAsString() : "";
      schema.addProperty("description", words + more);
    }
  }

  private static JsonObject type(String name) {
    return object("type", name);
  }

  private static JsonObject type(String name, String key, String value) {
    JsonObject schema = type(name);
    schema.addProperty(key, value);
    return schema;
  }

  private static JsonObject object(String key, String value) {
    JsonObject object = new JsonObject();
    object.addProperty(key, value);
    return object;
  }
}
