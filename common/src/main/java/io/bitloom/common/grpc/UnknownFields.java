package io.bitloom.common.grpc;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Refuses messages with fields that this version does not know, however deep. Protobuf keeps such
 * fields with their message and writes them again with it, so that no rule of ours sees them and
 * everything that stores or sends the message carries them along.
 */
public final class UnknownFields {

  /** The fields of a type that hold messages; those of other fields need not be looked at. */
  private static final Map<Descriptor, List<FieldDescriptor>> NESTED = new ConcurrentHashMap<>();

  private UnknownFields() {}

  /**
   * @throws BitloomException {@code MALFORMED_MESSAGE} that names the message and the number of the
   *     first such field
   */
  public static void refuse(Message message) {
    find(message).ifPresent(UnknownFields::refuse);
  }

  private static void refuse(Place place) {
    throw new BitloomException(
        ErrorCode.MALFORMED_MESSAGE,
        place.message()
            + " has no field "
            + place.number()
            + " in this version: leave it out, or update the coordinator",
        place.message(),
        place.number());
  }

  private record Place(String message, int number) {}

  private static Optional<Place> find(Message message) {
    Descriptor type = message.getDescriptorForType();
    if (!message.getUnknownFields().isEmpty()) {
      int number = message.getUnknownFields().asMap().keySet().iterator().next();
      return Optional.of(new Place(type.getFullName(), number));
    }
    for (FieldDescriptor field : NESTED.computeIfAbsent(type, UnknownFields::nested)) {
      Optional<Place> found = field.isRepeated() ? findInAll(message, field) : find(message, field);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<Place> find(Message message, FieldDescriptor field) {
    return message.hasField(field) ? find((Message) message.getField(field)) : Optional.empty();
  }

  private static Optional<Place> findInAll(Message message, FieldDescriptor field) {
    for (Object element : (List<?>) message.getField(field)) {
      Optional<Place> found = find((Message) element);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /** Entries of maps are messages too, but keep nothing but their key and value. */
  private static List<FieldDescriptor> nested(Descriptor type) {
    return type.getFields().stream()
        .filter(field -> field.getJavaType() == JavaType.MESSAGE)
        .filter(field -> !field.isMapField() || holdsMessages(field))
        .toList();
  }

  private static boolean holdsMessages(FieldDescriptor map) {
    return map.getMessageType().findFieldByName("value").getJavaType() == JavaType.MESSAGE;
  }
}
