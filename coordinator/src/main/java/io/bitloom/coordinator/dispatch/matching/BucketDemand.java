package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.WaitingWorkers.Place;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;

/**
 * When workers have to be looked at again because of one bucket: its window opens, or a time comes.
 * Confined to the dispatch loop.
 */
final class BucketDemand {

  private final DispatchLoop loop;
  private final Runnable look;
  private final LeaseWindow window = new LeaseWindow();
  private Optional<Place> heldUp = Optional.empty();
  private Optional<Future<?>> nextLook = Optional.empty();
  private long nextLookAt;

  /**
   * @param look looks at the workers that wait
   */
  BucketDemand(DispatchLoop loop, Runnable look) {
    this.loop = loop;
    this.look = look;
  }

  /** How many leases of it may be under way. */
  LeaseWindow window() {
    return window;
  }

  /** The window is closed to whoever waits at this place; those behind it may wait for it, too. */
  void heldUp(Place place) {
    if (heldUp.isEmpty() || place.compareTo(heldUp.get()) < 0) {
      heldUp = Optional.of(place);
    }
  }

  /** The first place to which the window was closed since this was asked last. */
  Optional<Place> takeHeldUp() {
    Optional<Place> first = heldUp;
    heldUp = Optional.empty();
    return first;
  }

  /**
   * Sees to it that workers are looked at again by a time.
   *
   * @param nanos of {@link System#nanoTime()}
   */
  void lookBy(long nanos) {
    if (nextLook.isEmpty() || nanos - nextLookAt < 0) {
      nextLook.ifPresent(later -> later.cancel(false));
      nextLookAt = nanos;
      nextLook =
          Optional.of(loop.schedule(this::lookNow, Duration.ofNanos(nanos - System.nanoTime())));
    }
  }

  private void lookNow() {
    nextLook = Optional.empty();
    look.run();
  }
}
