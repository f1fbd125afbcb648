package io.bitloom.common.rules;

import io.bitloom.common.error.FieldViolation;

/** A prompt line that cannot be taken. Says which field is wrong and what it holds. */
public final class PromptLineException extends Exception {

  private static final long serialVersionUID = 1L;

  private final String field;
  private final String value;
  private final String kind;

  /**
   * @param field the field's name, or empty if the line as a whole is wrong
   * @param value what the field holds, as JSON writes it, or empty if that does not help
   * @param problem what is wrong, to be read after the field's name
   */
  public PromptLineException(String field, String value, String problem) {
    this(
        field,
        value,
        sentence(field, FieldViolation.shown(value), problem),
        sentence(field, "", problem));
  }

  private PromptLineException(String field, String value, String message, String kind) {
    super(message);
    this.field = field;
    this.value = FieldViolation.shown(value);
    this.kind = kind;
  }

  /**
   * A value that a line before has had.
   *
   * @param earlier where that is: {@code line 7}
   */
  public static PromptLineException repeated(String field, String value, String earlier) {
    String quoted = '"' + value + '"';
    String problem = "is the same as in " + earlier;
    return new PromptLineException(
        field,
        quoted,
        sentence(field, FieldViolation.shown(quoted), problem),
        field + " is the same as in an earlier line");
  }

  /**
   * A line that is wrong as a whole. Where all lines of a file are wrong in the same way, it is
   * said once.
   *
   * @param kind what such lines have in common: {@code not valid UTF-8}
   * @param more what goes after that for this line
   */
  public static PromptLineException ofLine(String kind, String more) {
    return new PromptLineException("", "", kind + more, kind);
  }

  public String field() {
    return field;
  }

  /** The field's value in one line, at most 80 characters. */
  public String value() {
    return value;
  }

  /** What lines have in common that are wrong in the same way, whatever their values. */
  public String kind() {
    return kind;
  }

  private static String sentence(String field, String value, String problem) {
    String subject = field.isEmpty() ? problem : FieldViolation.shown(field) + " " + problem;
    return value.isEmpty() ? subject : subject + ": " + value;
  }
}
