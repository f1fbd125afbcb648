package io.bitloom.common.prompt;

import io.bitloom.common.error.FieldViolation;

/** A prompt line that cannot be taken. Says which field is wrong and what it holds. */
public final class PromptLineException extends Exception {

  private static final long serialVersionUID = 1L;

  private final String field;
  private final String value;

  /**
   * @param field the field's name, or empty if the line as a whole is wrong
   * @param value what the field holds, as JSON writes it, or empty if that does not help
   * @param problem what is wrong, to be read after the field's name
   */
  public PromptLineException(String field, String value, String problem) {
    super(sentence(field, FieldViolation.shown(value), problem));
    this.field = field;
    this.value = FieldViolation.shown(value);
  }

  public String field() {
    return field;
  }

  /** The field's value in one line, at most 80 characters. */
  public String value() {
    return value;
  }

  private static String sentence(String field, String value, String problem) {
    String subject = field.isEmpty() ? problem : FieldViolation.shown(field) + " " + problem;
    return value.isEmpty() ? subject : subject + ": " + value;
  }
}
