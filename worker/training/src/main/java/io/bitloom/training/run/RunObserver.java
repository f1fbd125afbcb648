package io.bitloom.training.run;

import java.time.Duration;
import java.util.Map;

/** Is told how a run goes, on the device's thread; must not take long. */
public interface RunObserver {
  /** Nobody looks. */
  RunObserver NONE = new RunObserver() {};

  /**
   * Numbers of a step; when a run is resumed, first those that its record already has.
   *
   * @param kind {@code train} or {@code validation}
   */
  default void recorded(String kind, long step, Map<String, Double> numbers) {}

  /** How long the rest will take at the present speed. */
  default void left(Duration left) {}

  /** A sample grid of a step. */
  default void pictured(long step, byte[] png) {}
}
