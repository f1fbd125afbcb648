package io.bitloom.engine.tensor;

/** A weight file or a tensor in it cannot be used; the message names file, tensor and reason. */
public final class WeightsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A fault whose message names everything already. */
  public WeightsException(String message) {
    super(message);
  }

  /** A fault of one tensor. */
  public WeightsException(String source, String tensor, String reason) {
    super(source + ": tensor " + tensor + ": " + reason);
  }

  /** A fault of the file as a whole. */
  public WeightsException(String source, String reason) {
    super(source + ": " + reason);
  }

  /** A fault of the file as a whole, with its cause. */
  public WeightsException(String source, String reason, Throwable cause) {
    super(source + ": " + reason, cause);
  }
}
