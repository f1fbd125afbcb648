package io.bitloom.coordinator.queue;

import java.nio.charset.StandardCharsets;

/**
 * Free text as a part of a key: everything but letters, digits, {@code .}, {@code -} and {@code _}
 * is percent-encoded, so that no name can break out of its hash tag or its place in a key.
 */
public final class Names {

  private Names() {}

  public static String escape(String name) {
    StringBuilder escaped = new StringBuilder(name.length());
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      if (plain(b)) {
        escaped.append((char) b);
      } else {
        escaped.append('%').append(hex(b >> 4)).append(hex(b));
      }
    }
    return escaped.toString();
  }

  /**
   * @throws IllegalArgumentException if the text is not what {@link #escape} writes
   */
  public static String unescape(String escaped) {
    byte[] bytes = new byte[escaped.length()];
    int length = 0;
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c == '%' && i + 2 < escaped.length()) {
        int high = Character.digit(escaped.charAt(i + 1), 16);
        int low = Character.digit(escaped.charAt(i + 2), 16);
        if (high < 0 || low < 0) {
          throw new IllegalArgumentException("not an escaped name");
        }
        bytes[length++] = (byte) (high << 4 | low);
        i += 2;
      } else if (c < 128 && plain((byte) c)) {
        bytes[length++] = (byte) c;
      } else {
        throw new IllegalArgumentException("not an escaped name");
      }
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }

  private static boolean plain(byte b) {
    return b >= 'a' && b <= 'z'
        || b >= 'A' && b <= 'Z'
        || b >= '0' && b <= '9'
        || b == '.'
        || b == '-'
        || b == '_';
  }

  private static char hex(int fourBits) {
    return Character.toUpperCase(Character.forDigit(fourBits & 15, 16));
  }
}
