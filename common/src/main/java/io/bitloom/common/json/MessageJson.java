package io.bitloom.common.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import java.util.Base64;
import java.util.List;

/**
 * Protobuf messages as Bitloom writes them in JSON, wherever it does: on the command line, over
 * HTTP and on its pages. It is proto3 JSON with the field names of the proto files, where fields
 * that cannot be absent are always there, but for two things: values of enums have no prefix
 * ({@link EnumNames}), and 64-bit integers are numbers.
 */
public final class MessageJson {

  private MessageJson() {}

  /** A message as an object. */
  public static JsonObject of(MessageOrBuilder message) {
    JsonObject json = new JsonObject();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (!field.hasPresence() || message.hasField(field)) {
        json.add(field.getName(), field(field, message.getField(field)));
      }
    }
    return json;
  }

  private static JsonElement field(FieldDescriptor field, Object value) {
    if (field.isMapField()) {
      return map(field, (List<?>) value);
    }
    if (field.isRepeated()) {
      JsonArray array = new JsonArray();
      ((List<?>) value).forEach(item -> array.add(single(item)));
      return array;
    }
    return single(value);
  }

  private static JsonObject map(FieldDescriptor field, List<?> entries) {
    FieldDescriptor key = field.getMessageType().findFieldByName("key");
    FieldDescriptor value = field.getMessageType().findFieldByName("value");
    JsonObject object = new JsonObject();
    for (Object entry : entries) {
      Message message = (Message) entry;
      object.add(message.getField(key).toString(), single(message.getField(value)));
    }
    return object;
  }

  private static JsonElement single(Object value) {
    if (value instanceof Timestamp time) {
      return new JsonPrimitive(Timestamps.toString(time));
    } else if (value instanceof Duration duration) {
      return new JsonPrimitive(Durations.toString(duration));
    } else if (value instanceof MessageOrBuilder message) {
      return of(message);
    } else if (value instanceof EnumValueDescriptor named) {
      return new JsonPrimitive(EnumNames.of(named));
    } else if (value instanceof ByteString bytes) {
      return new JsonPrimitive(Base64.getEncoder().encodeToString(bytes.toByteArray()));
    } else if (value instanceof Boolean flag) {
      return new JsonPrimitive(flag);
    } else if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
      return new JsonPrimitive(number);
    }
    return new JsonPrimitive(value.toString()); // text, NaN, Infinity
  }
}
