package io.bitloom.worker.verify;

/**
 * One quantity of a case.
 *
 * @param quantity what was compared, in the file's own terms
 * @param error largest error; for exact quantities, the number of elements that differ
 * @param tolerance largest error that holds; 0 for exact quantities
 */
record Measurement(String quantity, double error, double tolerance) {
  /** Whether the error is within the tolerance; an error that is no number is not. */
  boolean holds() {
    return error <= tolerance;
  }

  /** How much of the tolerance the error takes, to find the worst quantity of a case. */
  double strain() {
    if (Double.isNaN(error)) {
      return Double.POSITIVE_INFINITY;
    }
    return error == 0 ? 0 : error / tolerance;
  }
}
