package io.bitloom.worker.verify;

/**
 * Compares one kind of fixture file with what our code computes.
 *
 * <p>A check reads every case of the file and every tensor: the suite reports tensors that it
 * leaves alone, and a file without a case, as failures.
 */
@FunctionalInterface
interface FixtureCheck {
  /** Opens one case of the report for each case of the file. */
  void check(Fixture fixture, FileReport report);
}
