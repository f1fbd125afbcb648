package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.common.log.LogFields;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.LeaseEnd;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests for leases whose reply was lost. Redis may have taken them, or takes them when the
 * network is back and delivers them late, and then it holds prompts for a worker that never hears
 * of it. As soon as Redis answers, such leases are taken back, so that nobody waits until they
 * expire, and once more a moment later, because a request may still come in by an old connection.
 */
final class LostReplies {

  private static final Logger LOG = LoggerFactory.getLogger(LostReplies.class);
  private static final Duration PAUSE = Duration.ofMillis(200);
  private static final Duration AGAIN = Duration.ofSeconds(2);
  private static final int ROUNDS = 2;

  /** The first ones of a loss were on their way; of later ones Redis hardly ever heard. */
  private static final int MOST = 1000;

  private final BucketScripts buckets;
  private final LeaseEnd leaseEnd;
  private final JobSweep jobSweep;
  private final Timers timers;

  // Guarded by this.
  private final Map<Bucket, Map<Secret, Integer>> roundsLeft = new HashMap<>();
  private ScheduledFuture<?> timer;

  LostReplies(BucketScripts buckets, LeaseEnd leaseEnd, JobSweep jobSweep, Timers timers) {
    this.buckets = buckets;
    this.leaseEnd = leaseEnd;
    this.jobSweep = jobSweep;
    this.timers = timers;
  }

  /** Takes back what this request may have leased, as soon as that is possible. */
  synchronized void add(Bucket bucket, Secret request) {
    Map<Secret, Integer> ofBucket = roundsLeft.computeIfAbsent(bucket, b -> new LinkedHashMap<>());
    if (ofBucket.size() < MOST) {
      ofBucket.put(request, ROUNDS);
    }
    reclaimIn(PAUSE);
  }

  /** The earliest time wins. */
  private synchronized void reclaimIn(Duration delay) {
    if (timer != null && !timer.isDone()) {
      if (timer.getDelay(TimeUnit.MILLISECONDS) <= delay.toMillis()) {
        return;
      }
      timer.cancel(false);
    }
    timer = timers.in(delay, this::reclaimAll);
  }

  private void reclaimAll() {
    Map<Bucket, List<Secret>> now = new HashMap<>();
    synchronized (this) {
      timer = null;
      roundsLeft.forEach((bucket, requests) -> now.put(bucket, List.copyOf(requests.keySet())));
    }
    now.forEach(this::reclaim);
  }

  private void reclaim(Bucket bucket, List<Secret> requests) {
    buckets
        .reclaim(bucket, requests)
        .whenComplete(
            (reclaimed, e) -> {
              if (e != null) {
                reclaimIn(PAUSE);
              } else {
                reclaimed(bucket, requests);
                reclaimed.forEach(this::returnToJob);
              }
            });
  }

  private synchronized void reclaimed(Bucket bucket, List<Secret> requests) {
    roundsLeft.computeIfPresent(
        bucket,
        (b, ofBucket) -> {
          requests.forEach(
              request -> ofBucket.computeIfPresent(request, (r, n) -> n == 1 ? null : n - 1));
          return ofBucket.isEmpty() ? null : ofBucket;
        });
    if (!roundsLeft.isEmpty()) {
      reclaimIn(AGAIN);
    }
  }

  private void returnToJob(BucketScripts.Reclaimed reclaimed) {
    String jobId = reclaimed.jobId();
    LOG.atInfo()
        .addKeyValue(LogFields.JOB, jobId)
        .addKeyValue(LogFields.LEASE, reclaimed.lease().id())
        .log("Took back {} of {}, which nobody heard of", reclaimed.lease(), jobId);
    leaseEnd
        .requeue(jobId, reclaimed.lease(), JobScripts.Requeued.BACK, reclaimed.offsets())
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                jobSweep.sweepLater(jobId);
              }
            });
  }
}
