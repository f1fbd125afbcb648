package io.bitloom.training.data;

/** Too many samples cannot be read; the message says how many, and names the first. */
public final class BadDataException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BadDataException(String message) {
    super(message);
  }
}
