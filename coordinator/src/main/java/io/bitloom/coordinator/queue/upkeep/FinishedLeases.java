package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leases that are over. The next request for a lease of their bucket takes them along; if none
 * comes for a moment, the bucket is told by itself. One that is forgotten here expires, and its
 * prompts are found to have their outcomes when they are leased again.
 */
final class FinishedLeases {

  private static final Logger LOG = LoggerFactory.getLogger(FinishedLeases.class);
  private static final Duration PAUSE = Duration.ofMillis(20);

  /** More are not told in one call. */
  private static final int MOST = 256;

  private final BucketScripts buckets;
  private final Timers timers;
  private final Map<Bucket, List<LeaseRef>> waiting = new HashMap<>(); // guarded by this

  FinishedLeases(BucketScripts buckets, Timers timers) {
    this.buckets = buckets;
    this.timers = timers;
  }

  synchronized void add(LeaseRef lease) {
    Bucket bucket = lease.bucket();
    List<LeaseRef> ofBucket = waiting.get(bucket);
    if (ofBucket == null) {
      ofBucket = new ArrayList<>();
      waiting.put(bucket, ofBucket);
      timers.in(PAUSE, () -> tell(bucket));
    }
    ofBucket.add(lease);
  }

  /** The list stays, so that the timer which it has started is the only one. */
  synchronized List<LeaseRef> take(Bucket bucket) {
    List<LeaseRef> ofBucket = waiting.get(bucket);
    if (ofBucket == null) {
      return List.of();
    }
    List<LeaseRef> some = ofBucket.subList(0, Math.min(MOST, ofBucket.size()));
    List<LeaseRef> taken = List.copyOf(some);
    some.clear();
    return taken;
  }

  private void tell(Bucket bucket) {
    List<LeaseRef> taken = take(bucket);
    synchronized (this) {
      if (waiting.getOrDefault(bucket, List.of()).isEmpty()) {
        waiting.remove(bucket);
      } else {
        timers.in(PAUSE, () -> tell(bucket));
      }
    }
    if (!taken.isEmpty()) {
      buckets
          .finish(bucket, taken)
          .exceptionally(
              e -> {
                LOG.debug("{} leases of {} are left to expire: {}", taken.size(), bucket, e + "");
                return null;
              });
    }
  }

  /** Tells all buckets what they were not told; nobody waits for that. */
  void close() {
    List<Bucket> all;
    synchronized (this) {
      all = List.copyOf(waiting.keySet());
    }
    all.forEach(this::tell);
  }
}
