package io.bitloom.common.rules;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How enums are written in prompt lines: {@code WEBP_LOSSLESS} is {@code webp-lossless}. */
final class Labels {
  private Labels() {}

  static String of(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The value of a label. */
  static <E extends Enum<E>> Optional<E> find(Class<E> type, String label) {
    return Arrays.stream(type.getEnumConstants())
        .filter(value -> of(value).equals(label))
        .findFirst();
  }

  /** All labels, for messages: {@code png, jpeg, webp}. */
  static <E extends Enum<E>> String all(Class<E> type) {
    List<String> labels = Arrays.stream(type.getEnumConstants()).map(Labels::of).toList();
    return String.join(", ", labels);
  }
}
