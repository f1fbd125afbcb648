package io.bitloom.engine.model;

import org.bytedeco.pytorch.Tensor;

/** Told after every scale, for progress, previews and cancellation. */
@FunctionalInterface
public interface ScaleObserver {
  /** Does nothing. */
  ScaleObserver NONE = (scale, summedCodes) -> {};

  /**
   * Scale {@code scale} (from 0) is drawn; a device that takes work in advance has drawn the one
   * before and has this one queued. An exception ends the generation and comes out of it.
   *
   * @param summedCodes the sum of the codes so far (B, channels, H, W); valid during the call
   */
  void drawn(int scale, Tensor summedCodes);
}
