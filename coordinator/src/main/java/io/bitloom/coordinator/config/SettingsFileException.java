package io.bitloom.coordinator.config;

/**
 * A file of settings that cannot be used. The message names the file and, where there is, the line.
 */
public final class SettingsFileException extends RuntimeException {

  private static final long serialVersionUID = 1;

  SettingsFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
