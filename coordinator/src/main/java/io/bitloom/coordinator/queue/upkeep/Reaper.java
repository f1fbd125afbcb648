package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.LeaseEnd;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Returns the prompts of expired leases to their buckets. Every coordinator watches every bucket in
 * which something is going on, with one timer each that sleeps until a lease could expire.
 */
final class Reaper {

  private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);

  /** Workers of a coordinator that is started again come back, and name their leases, in less. */
  private static final Duration RECONNECT = Duration.ofSeconds(1);

  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  private final BucketScripts buckets;
  private final LeaseEnd leaseEnd;
  private final QueueSettings settings;
  private final Timers timers;
  private final Map<Bucket, ScheduledFuture<?>> watches = new ConcurrentHashMap<>();
  private volatile long graceEndsNanos;

  Reaper(BucketScripts buckets, LeaseEnd leaseEnd, QueueSettings settings, Timers timers) {
    this.buckets = buckets;
    this.leaseEnd = leaseEnd;
    this.settings = settings;
    this.timers = timers;
    startGrace(RECONNECT.compareTo(settings.reapGrace()) < 0 ? RECONNECT : settings.reapGrace());
  }

  /** Workers could not renew their leases for a while, and get the time to do so. */
  void redisIsBack() {
    startGrace(settings.reapGrace());
  }

  private void startGrace(Duration grace) {
    graceEndsNanos = System.nanoTime() + grace.toNanos();
  }

  /** Leases of this bucket may be made from now on. */
  void watch(Bucket bucket) {
    watch(bucket, settings.leaseDuration());
  }

  /** A lease of this bucket may expire after this time. */
  void watch(Bucket bucket, Duration expiry) {
    long millis =
        1
            + Math.max(
                expiry.toMillis(),
                TimeUnit.NANOSECONDS.toMillis(graceEndsNanos - System.nanoTime()));
    watches.compute(
        bucket,
        (b, timer) -> {
          if (timer != null && !timer.isDone() && timer.getDelay(TimeUnit.MILLISECONDS) <= millis) {
            return timer;
          }
          if (timer != null) {
            timer.cancel(false);
          }
          return timers.in(Duration.ofMillis(millis), () -> reap(bucket));
        });
  }

  /**
   * The watch is over before Redis is asked: its answer may be there before this timer counts as
   * done, and whoever watches again would then take it for one that is still to come.
   */
  private void reap(Bucket bucket) {
    watches.remove(bucket);
    buckets
        .expireOverdue(bucket)
        .whenComplete(
            (expired, e) -> {
              if (e != null) {
                watch(bucket, PAUSE_AFTER_ERROR);
              } else if (expired.nextExpiryMillis() >= 0) {
                watch(bucket, Duration.ofMillis(expired.nextExpiryMillis()));
              } else if (expired.waiting()) {
                watch(bucket);
              }
            })
        .thenCompose(leaseEnd::expired)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                LOG.warn(
                    "leases of {} could not be reaped, trying again: {}", bucket, e.toString());
              }
            });
  }
}
