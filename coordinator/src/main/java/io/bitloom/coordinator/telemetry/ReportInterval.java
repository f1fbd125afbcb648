package io.bitloom.coordinator.telemetry;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * For how long a coordinator asks to be the one that tells the cluster's numbers: longer than the
 * time between two scrapes, so that the turn stays where it is, and not much longer, so that
 * another one soon follows one that died. Nobody says how often Prometheus scrapes; it is seen.
 */
final class ReportInterval {

  /** Until two scrapes were seen: the longest interval that is usual. */
  private static final Duration UNKNOWN = Duration.ofSeconds(60);

  private static final Duration LEAST = Duration.ofSeconds(2);
  private static final Duration MOST = Duration.ofMinutes(10);

  /** Somebody who looks by hand, or a second Prometheus, makes some gaps short and none longer. */
  private static final int GAPS = 4;

  private final Deque<Long> gaps = new ArrayDeque<>();
  private Long last;

  /** There is a scrape at this time of {@link System#nanoTime}. Returns how long to ask for. */
  synchronized Duration scraped(long now) {
    if (last != null) {
      gaps.add(now - last);
      if (gaps.size() > GAPS) {
        gaps.remove();
      }
    }
    last = now;
    Duration asked =
        gaps.stream()
            .max(Long::compare)
            .map(longest -> Duration.ofNanos(longest / 2 * 3))
            .orElse(UNKNOWN);
    return asked.compareTo(LEAST) < 0 ? LEAST : asked.compareTo(MOST) > 0 ? MOST : asked;
  }
}
