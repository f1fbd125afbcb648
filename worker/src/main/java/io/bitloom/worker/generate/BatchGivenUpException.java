package io.bitloom.worker.generate;

/** Ends the drawing of a batch that nobody wants any more, between two scales. */
final class BatchGivenUpException extends RuntimeException {

  private static final long serialVersionUID = 1;

  BatchGivenUpException() {
    super("every prompt of the batch was given up", null, false, false);
  }
}
