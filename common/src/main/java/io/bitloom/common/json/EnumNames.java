package io.bitloom.common.json;

import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.ProtocolMessageEnum;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * The values of protobuf enums as people and JSON call them: {@code RUNNING} for {@code
 * JOB_STATE_RUNNING}.
 */
public final class EnumNames {

  private static final String NOTHING = "UNSPECIFIED";

  private EnumNames() {}

  /** {@code RUNNING}. */
  public static <E extends Enum<E> & ProtocolMessageEnum> String of(E value) {
    return withoutPrefix(value.name(), value.getDeclaringClass().getEnumConstants()[0].name());
  }

  /** {@code RUNNING}; of a value that this program does not know, all that there is. */
  public static String of(EnumValueDescriptor value) {
    return withoutPrefix(value.getName(), value.getType().getValues().get(0).getName());
  }

  private static String withoutPrefix(String name, String nothing) {
    String prefix = prefix(nothing);
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }

  /** Of all values of an enum, by the name of its first one, which stands for nothing. */
  private static String prefix(String nothing) {
    return nothing.substring(0, nothing.length() - NOTHING.length());
  }

  /**
   * The value that a text names: {@code running}, {@code RUNNING} or {@code JOB_STATE_RUNNING},
   * with {@code -} or {@code _}. Empty if there is none; the one that stands for nothing has no
   * name.
   */
  public static <E extends Enum<E> & ProtocolMessageEnum> Optional<E> find(
      Class<E> type, String text) {
    E[] values = type.getEnumConstants();
    String name = fullName(values[0].name(), text);
    return Arrays.stream(values).skip(1).filter(value -> value.name().equals(name)).findFirst();
  }

  /** Likewise, and {@code UNSPECIFIED} is found too: it is what {@link MessageJson} writes. */
  static Optional<EnumValueDescriptor> find(EnumDescriptor type, String text) {
    String name = fullName(type.getValues().get(0).getName(), text);
    return Optional.ofNullable(type.findValueByName(name));
  }

  private static String fullName(String nothing, String text) {
    String prefix = prefix(nothing);
    String word = text.toUpperCase(Locale.ROOT).replace('-', '_');
    return word.startsWith(prefix) ? word : prefix + word;
  }
}
