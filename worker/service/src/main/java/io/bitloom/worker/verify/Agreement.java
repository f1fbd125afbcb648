package io.bitloom.worker.verify;

/**
 * How much of a quantity is equal, where nothing says how much of it must be.
 *
 * @param quantity what was compared, in the file's own terms
 * @param equal number of elements that are equal
 * @param all number of elements
 */
record Agreement(String quantity, long equal, long all) {
  /** The share that is equal. */
  double fraction() {
    return (double) equal / all;
  }
}
