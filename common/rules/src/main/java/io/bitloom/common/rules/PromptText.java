package io.bitloom.common.rules;

/**
 * Control characters in the text of a prompt. Texts that were scraped have them (U+0085, U+2028,
 * U+0000, …); no model knows what to do with them, and no prompt is wrong for one. They are drawn
 * as spaces, whoever sends them. Tabs, line feeds and carriage returns stay.
 */
public final class PromptText {

  private PromptText() {}

  /** Whether a character becomes a space. */
  private static boolean isStray(int character) {
    return Character.isISOControl(character) && "\n\r\t".indexOf(character) < 0
        || character == 0x2028
        || character == 0x2029;
  }

  /** Number of characters that become spaces. */
  public static int strays(String text) {
    return (int) text.chars().filter(PromptText::isStray).count();
  }

  /** The text with a space in place of every stray control character. */
  public static String normalised(String text) {
    if (strays(text) == 0) {
      return text;
    }
    StringBuilder spaced = new StringBuilder(text);
    for (int i = 0; i < spaced.length(); i++) {
      if (isStray(spaced.charAt(i))) {
        spaced.setCharAt(i, ' ');
      }
    }
    return spaced.toString();
  }
}
