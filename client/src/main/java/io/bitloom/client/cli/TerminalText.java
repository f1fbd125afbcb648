package io.bitloom.client.cli;

import io.bitloom.common.error.FieldViolation;

/** Text in the columns of a terminal, where some characters take two and some none. */
final class TerminalText {

  private static final int[][] WIDE = {
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0x33FF},
    {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},
    {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF},
    {0x1F900, 0x1FAFF},
    {0x20000, 0x3FFFD}
  };

  private TerminalText() {}

  /** Columns that a text takes. */
  static int width(String text) {
    return text.codePoints().map(TerminalText::width).sum();
  }

  private static int width(int codePoint) {
    int type = Character.getType(codePoint);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    for (int[] range : WIDE) {
      if (codePoint >= range[0] && codePoint <= range[1]) {
        return 2;
      }
    }
    return 1;
  }

  /** What others wrote, without control characters, in at most so many columns. */
  static String shortened(String text, int columns) {
    StringBuilder plain = new StringBuilder();
    text.codePoints()
        .limit(columns * 2L + 1)
        .forEach(c -> plain.append(FieldViolation.shown(Character.toString(c))));
    if (width(plain.toString()) <= columns) {
      return plain.toString();
    }
    StringBuilder cut = new StringBuilder();
    int left = columns - 1;
    for (int c : plain.codePoints().toArray()) {
      left -= width(c);
      if (left < 0) {
        break;
      }
      cut.appendCodePoint(c);
    }
    return cut.append('…').toString();
  }

  /** The same, with spaces up to so many columns. */
  static String padded(String text, int columns) {
    String fitting = shortened(text, columns);
    return fitting + " ".repeat(Math.max(0, columns - width(fitting)));
  }
}
