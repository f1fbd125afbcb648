package io.bitloom.common.config;

import io.bitloom.common.error.FieldViolation;

/** A setting that cannot be used. The message names its key and its value. */
public final class ConfigException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final String key;

  public ConfigException(String key, Object value, String message) {
    super(key + " " + message + ", not \"" + FieldViolation.shown(value) + "\"");
    this.key = key;
  }

  /** The setting that has the value. */
  public String key() {
    return key;
  }
}
