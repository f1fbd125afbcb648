package io.bitloom.common.prompt;

import com.google.protobuf.ProtocolMessageEnum;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How enums are written in prompt lines and on command lines: {@code IMAGE_FORMAT_WEBP_LOSSLESS} of
 * the interface is {@code webp-lossless}.
 *
 * @param <E> the enum
 */
public final class PromptEnum<E extends ProtocolMessageEnum> {
  private final List<E> values;
  private final String prefix;

  private PromptEnum(List<E> values, String prefix) {
    this.values = values;
    this.prefix = prefix;
  }

  /**
   * The names of an enum.
   *
   * @param prefix what the constants' names begin with
   * @param values its constants that have a name
   */
  static <E extends ProtocolMessageEnum> PromptEnum<E> after(String prefix, List<E> values) {
    return new PromptEnum<>(List.copyOf(values), prefix);
  }

  /** The name of a value; empty for the unspecified one and those of newer versions. */
  public String of(E value) {
    return values.contains(value) ? name(value) : "";
  }

  /** The value of a name. */
  public Optional<E> find(String name) {
    return values.stream().filter(value -> name(value).equals(name)).findFirst();
  }

  /** All names, for messages: {@code png, jpeg, webp}. */
  public String all() {
    return String.join(", ", values.stream().map(this::name).toList());
  }

  private String name(E value) {
    return value
        .getValueDescriptor()
        .getName()
        .substring(prefix.length())
        .toLowerCase(Locale.ROOT)
        .replace('_', '-');
  }
}
