package io.bitloom.common.error;

import java.util.Locale;

/**
 * One thing that is wrong with one field of a request.
 *
 * @param field path of the field, {@code prompts[3].num_images}
 * @param value what was there, made fit to print by {@link #shown(Object)}
 * @param message what it has to be: {@code must be 1 to 16}
 */
public record FieldViolation(String field, String value, String message) {

  private static final int SHOWN_CHARACTERS = 80;

  /** A violation by a value that may be hostile or huge. */
  public static FieldViolation of(String field, Object value, String message) {
    return new FieldViolation(field, shown(value), message);
  }

  /** The same violation, seen from the message that holds the field's message. */
  public FieldViolation in(String parent) {
    return parent.isEmpty() ? this : new FieldViolation(parent + "." + field, value, message);
  }

  /**
   * A value as it can be printed in one line of a terminal, a log or a header: at most 80
   * characters, with control characters and broken surrogates escaped.
   */
  public static String shown(Object value) {
    String text = String.valueOf(value);
    StringBuilder shown = new StringBuilder();
    int[] codePoints = text.codePoints().limit(SHOWN_CHARACTERS + 1L).toArray();
    for (int i = 0; i < Math.min(codePoints.length, SHOWN_CHARACTERS); i++) {
      int c = codePoints[i];
      if (Character.isISOControl(c) || isSurrogate(c) || Character.getType(c) == Character.FORMAT) {
        shown.append(String.format(Locale.ROOT, "\\u%04x", c));
      } else {
        shown.appendCodePoint(c);
      }
    }
    return codePoints.length > SHOWN_CHARACTERS ? shown.append('…').toString() : shown.toString();
  }

  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }

  /**
   * One line for people: {@code num_images must be 1 to 16, not "17"}. A message that begins with
   * the value is the whole line: {@code size 1M is not drawn by model demo}.
   */
  @Override
  public String toString() {
    boolean saysIt = !value.isEmpty() && message.startsWith(value + " ");
    return field + " " + message + (saysIt ? "" : ", not \"" + value + "\"");
  }
}
