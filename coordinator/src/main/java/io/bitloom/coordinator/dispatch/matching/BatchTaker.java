package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.LeasedBatch;

/** A worker as matching sees it. Called in the dispatch loop. */
public interface BatchTaker {

  /** Who it is, and what it can draw. */
  WorkerProfile profile();

  /** Whether it has asked for a batch that it has not got. */
  boolean wantsBatch();

  /** Batches that it holds. */
  int batches();

  /**
   * Gives it the batch that it asked for.
   *
   * @return false if it is gone, or no longer wants one
   */
  boolean take(LeasedBatch batch);

  /**
   * It could not be given what it asked for, by a fault of this coordinator: it has to ask anew.
   */
  void fail(Throwable fault);
}
