package io.bitloom.common.prompt;

/** A prompt line that cannot be taken. Says which field is wrong and what it holds. */
public final class PromptLineException extends Exception {

  private static final long serialVersionUID = 1L;
  private static final int SHOWN_CHARACTERS = 80;

  private final String field;
  private final String value;

  /**
   * @param field the field's name, or empty if the line as a whole is wrong
   * @param value what the field holds, as far as it is known; long text is cut
   * @param problem what is wrong, to be read after the field's name
   */
  public PromptLineException(String field, String value, String problem) {
    super(field.isEmpty() ? problem : field + " " + problem);
    this.field = field;
    this.value = shown(value);
  }

  public String field() {
    return field;
  }

  public String value() {
    return value;
  }

  private static String shown(String value) {
    if (value.codePointCount(0, value.length()) <= SHOWN_CHARACTERS) {
      return value;
    }
    return value.substring(0, value.offsetByCodePoints(0, SHOWN_CHARACTERS)) + "…";
  }
}
