package io.bitloom.training.config;

/** A field of a record whose value does not fit the others; thrown by the record's constructor. */
public final class FieldFault extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String field;

  /**
   * A fault, which {@link ConfigFile} says with file, line and section.
   *
   * @param field name in the file, without that of the section
   */
  public FieldFault(String field, String message) {
    super(message);
    this.field = field;
  }

  /** The field's name in the file. */
  public String field() {
    return field;
  }
}
