package io.bitloom.engine.modeldir;

import io.bitloom.engine.tensor.DType;

/**
 * How weight files come into a model directory.
 *
 * @param link hard or symbolic links instead of copies
 * @param dtype type that tensors of floating-point numbers are converted to; null for none
 */
public record Placement(Link link, DType dtype) {
  /** What stands in the model directory for a file elsewhere. */
  public enum Link {
    NONE,
    HARD,
    SYMBOLIC
  }

  /** Copies of the files as they are. */
  public static final Placement COPY = new Placement(Link.NONE, null);

  /**
   * @throws IllegalArgumentException if files are to be linked and converted
   */
  public Placement {
    if (link != Link.NONE && dtype != null) {
      throw new IllegalArgumentException("a linked file cannot be converted");
    }
  }
}
