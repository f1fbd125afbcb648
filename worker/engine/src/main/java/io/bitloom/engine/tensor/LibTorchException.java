package io.bitloom.engine.tensor;

/**
 * libtorch, or a device that was asked for, cannot be used on this machine; the message is a line
 * that says what is missing and what to do.
 */
public final class LibTorchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LibTorchException(String message) {
    super(message);
  }

  LibTorchException(String message, Throwable cause) {
    super(message, cause);
  }
}
