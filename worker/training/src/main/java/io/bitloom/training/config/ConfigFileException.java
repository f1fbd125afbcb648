package io.bitloom.training.config;

/** A configuration file that cannot be used. The message names file, line, field and value. */
public final class ConfigFileException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** A fault at a line of a file. */
  public ConfigFileException(String file, int line, String message) {
    super(file + ":" + line + ": " + message);
  }

  /** A file that cannot be read at all. */
  public ConfigFileException(String file, String message, Throwable cause) {
    super(file + ": " + message, cause);
  }
}
