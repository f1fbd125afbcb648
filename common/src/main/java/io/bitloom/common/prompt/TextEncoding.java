package io.bitloom.common.prompt;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * How a text file is encoded, as far as its first bytes tell.
 *
 * @param charset UTF-8 unless the file says otherwise
 * @param markBytes length of the byte order mark; 0 if there is none
 */
record TextEncoding(Charset charset, int markBytes) {

  private static final Charset UTF_32LE = Charset.forName("UTF-32LE");
  private static final Charset UTF_32BE = Charset.forName("UTF-32BE");

  /**
   * By the byte order mark; without one by the zeros that wide encodings have between the letters
   * that a file begins with.
   */
  static TextEncoding of(byte[] head) {
    if (begins(head, 0xFF, 0xFE, 0, 0)) {
      return new TextEncoding(UTF_32LE, 4);
    }
    if (begins(head, 0, 0, 0xFE, 0xFF)) {
      return new TextEncoding(UTF_32BE, 4);
    }
    if (begins(head, 0xFF, 0xFE)) {
      return new TextEncoding(StandardCharsets.UTF_16LE, 2);
    }
    if (begins(head, 0xFE, 0xFF)) {
      return new TextEncoding(StandardCharsets.UTF_16BE, 2);
    }
    return begins(head, 0xEF, 0xBB, 0xBF)
        ? new TextEncoding(StandardCharsets.UTF_8, 3)
        : new TextEncoding(withoutMark(head), 0);
  }

  private static Charset withoutMark(byte[] head) {
    if (head.length < 4) {
      return StandardCharsets.UTF_8;
    }
    String zeros = (head[0] == 0 ? "0" : "x") + (head[1] == 0 ? "0" : "x");
    boolean nextTwoAreZeros = head[2] == 0 && head[3] == 0;
    return switch (zeros) {
      case "00" -> head[2] == 0 && head[3] != 0 ? UTF_32BE : StandardCharsets.UTF_8;
      case "x0" -> nextTwoAreZeros ? UTF_32LE : pair(head, 1, StandardCharsets.UTF_16LE);
      case "0x" -> pair(head, 0, StandardCharsets.UTF_16BE);
      default -> StandardCharsets.UTF_8;
    };
  }

  /** A wide encoding if the second letter is as wide as the first. */
  private static Charset pair(byte[] head, int zero, Charset charset) {
    return head[2 + zero] == 0 && head[3 - zero] != 0 ? charset : StandardCharsets.UTF_8;
  }

  boolean isUtf8() {
    return charset.equals(StandardCharsets.UTF_8);
  }

  /** The text of a file's first bytes; what is cut off or malformed is replaced. */
  String decode(byte[] head) {
    return new String(head, markBytes, head.length - markBytes, charset);
  }

  private static boolean begins(byte[] head, int... bytes) {
    if (head.length < bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if ((head[i] & 0xFF) != bytes[i]) {
        return false;
      }
    }
    return true;
  }
}
