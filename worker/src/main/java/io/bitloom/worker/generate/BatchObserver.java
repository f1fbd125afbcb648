package io.bitloom.worker.generate;

/** Looks on while the pipeline draws, for progress and previews. */
@FunctionalInterface
public interface BatchObserver {
  /** Does nothing. */
  BatchObserver NONE = progress -> {};

  /**
   * A scale of a batch is drawn. Called on the device thread, which draws nothing meanwhile; an
   * exception fails the batch.
   *
   * @param progress valid during the call
   */
  void scaleDrawn(BatchProgress progress);
}
