package io.bitloom.coordinator.webhooks;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How many attempts one receiver, or one tenant, may have at a time. Who finds no place is told
 * when there may be one, each another time, by how long attempts took there lately.
 */
final class Places {

  /**
   * A place that is free later than this is not waited for: it may be free sooner than it seems.
   */
  private static final long LONGEST_NANOS = Duration.ofMinutes(1).toNanos();

  /** How long an attempt takes where none has ended yet. */
  private static final long FIRST_NANOS = Duration.ofMillis(100).toNanos();

  private final int most;

  /** Only those with attempts under way, or with somebody who waits. Guarded by this. */
  private final Map<String, Use> uses = new HashMap<>();

  private static final class Use {
    private int taken;
    private long meanNanos = FIRST_NANOS;
    private long promisedNanos;
  }

  Places(int most) {
    this.most = most;
  }

  /**
   * Takes a place.
   *
   * @return empty if it is taken, else after which time to ask again
   */
  synchronized Optional<Duration> take(String whose, long nowNanos) {
    Use use = uses.computeIfAbsent(whose, name -> new Use());
    if (use.taken < most) {
      use.taken++;
      return Optional.empty();
    }
    long before = use.promisedNanos > nowNanos ? use.promisedNanos : nowNanos;
    use.promisedNanos =
        Math.min(before + Math.max(1_000_000, use.meanNanos / most), nowNanos + LONGEST_NANOS);
    return Optional.of(Duration.ofNanos(use.promisedNanos - nowNanos));
  }

  /** Leaves a place that was not used. */
  synchronized void leave(String whose) {
    Use use = uses.get(whose);
    if (--use.taken == 0) {
      uses.remove(whose);
    }
  }

  /** Leaves a place after an attempt. */
  synchronized void leave(String whose, long tookNanos) {
    Use use = uses.get(whose);
    use.meanNanos += (tookNanos - use.meanNanos) / 8;
    leave(whose);
  }
}
