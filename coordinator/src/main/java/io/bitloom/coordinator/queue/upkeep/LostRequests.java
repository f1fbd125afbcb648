package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.Tasks;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests for leases whose reply was lost. Redis may have taken them, or takes them when the
 * network is back and delivers them late, and then it holds prompts for a worker that never hears
 * of it. As soon as Redis answers, such leases are taken back, so that nobody waits until they
 * expire, and once more a moment later, because a request may still come in by an old connection.
 */
public final class LostRequests {

  private static final Logger LOG = LoggerFactory.getLogger(LostRequests.class);
  private static final Duration PAUSE = Duration.ofMillis(200);
  private static final Duration AGAIN = Duration.ofSeconds(2);
  private static final int ROUNDS = 2;

  /** The first ones of a loss were on their way; of later ones Redis hardly ever heard. */
  private static final int MOST = 1000;

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final Sweeper sweeper;
  private final ScheduledExecutorService timers;

  // Guarded by this.
  private final Map<Bucket, Map<String, Integer>> roundsLeft = new HashMap<>();
  private ScheduledFuture<?> timer;

  public LostRequests(
      JobScripts jobs,
      BucketScripts buckets,
      JobEnd jobEnd,
      Sweeper sweeper,
      ScheduledExecutorService timers) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.jobEnd = jobEnd;
    this.sweeper = sweeper;
    this.timers = timers;
  }

  /** A name for a request that no other one has. */
  public static String newName() {
    return Long.toUnsignedString(ThreadLocalRandom.current().nextLong(), Character.MAX_RADIX);
  }

  /** Takes back what this request may have leased, as soon as that is possible. */
  public synchronized void add(Bucket bucket, String request) {
    Map<String, Integer> ofBucket = roundsLeft.computeIfAbsent(bucket, b -> new LinkedHashMap<>());
    if (ofBucket.size() < MOST) {
      ofBucket.put(request, ROUNDS);
    }
    reclaimIn(PAUSE);
  }

  /** The earliest time wins. */
  private synchronized void reclaimIn(Duration delay) {
    long millis = delay.toMillis();
    if (timer != null && !timer.isDone()) {
      if (timer.getDelay(TimeUnit.MILLISECONDS) <= millis) {
        return;
      }
      timer.cancel(false);
    }
    timer = timers.schedule(this::reclaimAll, millis, TimeUnit.MILLISECONDS);
  }

  private void reclaimAll() {
    Map<Bucket, List<String>> now = new HashMap<>();
    synchronized (this) {
      timer = null;
      roundsLeft.forEach((bucket, requests) -> now.put(bucket, List.copyOf(requests.keySet())));
    }
    now.forEach(this::reclaim);
  }

  private void reclaim(Bucket bucket, List<String> requests) {
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

  private synchronized void reclaimed(Bucket bucket, List<String> requests) {
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
    LOG.info("Took back {} of {}, which nobody heard of", reclaimed.lease(), jobId);
    CompletionStage<Void> told =
        jobs.requeue(jobId, reclaimed.lease(), false, Tasks.offsets(reclaimed.tasks()))
            .thenCompose(terminal -> jobEnd.endedIf(terminal, jobId));
    told.whenComplete(
        (done, e) -> {
          if (e != null) {
            sweeper.sweepLater(jobId);
          }
        });
  }
}
