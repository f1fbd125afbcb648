package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.Bucket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Decides which bucket a worker's next batch comes from, and when.
 *
 * <p>The bucket of the highest priority goes first. Among equals each has a clock that runs by the
 * work it was given by its weight (start-time fair queueing), and the one that is behind goes
 * first; a bucket whose schedule the worker has warm may run ahead by {@link #WARM_BATCHES}
 * batches. A bucket that was not served for {@code ageing} counts as one priority higher, and so
 * on, so that nothing starves.
 *
 * <p>A bucket that may not fill a batch waits {@code maxDelay} for more, unless the worker is idle
 * and no caller is about to bring more.
 *
 * <p>A bucket that may be asked for no more leases at this moment is passed over in favour of its
 * equals, which its clock makes good, but not in favour of one of a lower priority.
 *
 * <p>Times are of {@link System#nanoTime()}. Not safe for use by several threads.
 */
final class BatchFormer {

  /** How far a warm bucket may run ahead: enough to be worth it, short enough to wait for. */
  private static final int WARM_BATCHES = 4;

  /** What a worker that asked for a batch is to get. */
  sealed interface Decision {}

  /** A batch of this bucket, now. */
  record Draw(Bucket bucket, int maxImages) implements Decision {}

  /**
   * Nothing, unless something changes.
   *
   * @param forming buckets whose next batch may not be full, and until when it waits for more
   * @param closed buckets that would be drawn if they could be asked for another lease
   */
  record Wait(Map<Bucket, Long> forming, Set<Bucket> closed) implements Decision {}

  private static final class Clock {
    private final int tokens;

    /** Virtual time: tokens of the bucket's batches by weight, or that of others at its start. */
    private double work;

    private long servedAt;
    private long formingSince;
    private boolean mayBePartial = true;
    private boolean empty = true;
    private double weight = 1;

    /** The highest that waits; unknown as long as nobody has looked. */
    private OptionalInt priority = OptionalInt.empty();

    /**
     * @param tokens of an image
     */
    private Clock(int tokens, double work, long now) {
      this.tokens = tokens;
      this.work = work;
      this.servedAt = now;
      this.formingSince = now;
    }
  }

  private record Candidate(Bucket bucket, int capacity, Clock clock, int priority, double place) {

    private static final Comparator<Candidate> MOST_URGENT_FIRST =
        Comparator.comparingInt(Candidate::priority)
            .reversed()
            .thenComparingDouble(Candidate::place)
            .thenComparingLong(candidate -> candidate.clock().servedAt);
  }

  private final long maxDelayNanos;
  private final long ageingNanos;
  private final Predicate<Bucket> moreExpected;
  private final Predicate<Bucket> open;
  private final Map<Bucket, Clock> clocks = new HashMap<>();
  private double virtualTime;

  /**
   * @param maxDelay how long a batch that may not be full waits
   * @param ageing without service for this long, a bucket counts as one priority higher
   * @param moreExpected whether a caller is about to bring prompts for a bucket
   * @param open whether a bucket may be asked for another lease
   */
  BatchFormer(
      Duration maxDelay, Duration ageing, Predicate<Bucket> moreExpected, Predicate<Bucket> open) {
    this.maxDelayNanos = maxDelay.toNanos();
    this.ageingNanos = ageing.toNanos();
    this.moreExpected = moreExpected;
    this.open = open;
  }

  /** There are prompts in a bucket; without effect unless it was empty. */
  void ready(Bucket bucket, long now) {
    Clock clock = clock(bucket, now);
    if (!clock.empty) {
      return;
    }
    clock.empty = false;
    clock.priority = OptionalInt.empty();
    clock.work = Math.max(clock.work, virtualTime);
    clock.servedAt = now;
    clock.formingSince = now;
    clock.mayBePartial = true;
  }

  /** A bucket has no more prompts. */
  void empty(Bucket bucket, long now) {
    clock(bucket, now).empty = true;
  }

  /**
   * Sets what a bucket competes by.
   *
   * @param priority the highest that waits in it
   * @param weight of what waits in it, as {@link BucketWeights} says
   */
  void rank(Bucket bucket, int priority, double weight, long now) {
    Clock clock = clock(bucket, now);
    clock.priority = OptionalInt.of(priority);
    clock.weight = weight;
  }

  /** Whether it is known which of the buckets go first. */
  boolean ranked(Collection<Bucket> ready, long now) {
    return ready.size() == 1
        || ready.stream().allMatch(bucket -> clock(bucket, now).priority.isPresent());
  }

  /**
   * What a worker is to get.
   *
   * @param idle whether it has nothing to draw
   * @param ready buckets with prompts, of any model
   */
  Decision decide(WorkerProfile worker, boolean idle, Collection<Bucket> ready, long now) {
    Map<Bucket, Long> forming = new HashMap<>();
    Set<Bucket> closed = new HashSet<>();
    int closedPriority = Integer.MIN_VALUE;
    for (Candidate candidate : candidates(worker, ready, now)) {
      if (candidate.priority() < closedPriority) {
        break;
      }
      long wait = wait(candidate, idle, now);
      if (wait > 0) {
        forming.put(candidate.bucket(), now + wait);
      } else if (open.test(candidate.bucket())) {
        return new Draw(candidate.bucket(), candidate.capacity());
      } else {
        closed.add(candidate.bucket());
        closedPriority = candidate.priority();
      }
    }
    return new Wait(forming, closed);
  }

  private List<Candidate> candidates(WorkerProfile worker, Collection<Bucket> ready, long now) {
    List<Candidate> candidates = new ArrayList<>();
    for (Bucket bucket : ready) {
      int capacity = worker.capacity(bucket);
      if (capacity > 0) {
        Clock clock = clock(bucket, now);
        double credit =
            worker.warm(bucket)
                ? WARM_BATCHES * clock.tokens * (double) capacity / clock.weight
                : 0;
        candidates.add(
            new Candidate(bucket, capacity, clock, priority(clock, now), clock.work - credit));
      }
    }
    candidates.sort(Candidate.MOST_URGENT_FIRST);
    return candidates;
  }

  private int priority(Clock clock, long now) {
    long aged = (now - clock.servedAt) / ageingNanos;
    return clock.priority.orElse(0) + (int) Math.min(aged, Integer.MAX_VALUE / 2);
  }

  private long wait(Candidate candidate, boolean idle, long now) {
    boolean mayGrow = candidate.clock().mayBePartial && candidate.capacity() > 1;
    if (!mayGrow || (idle && !moreExpected.test(candidate.bucket()))) {
      return 0;
    }
    return candidate.clock().formingSince + maxDelayNanos - now;
  }

  /** A batch was given out. */
  void drawn(Bucket bucket, int images, int maxImages, long now) {
    Clock clock = clock(bucket, now);
    virtualTime = Math.max(virtualTime, clock.work);
    clock.work += clock.tokens * (double) images / clock.weight;
    clock.servedAt = now;
    clock.mayBePartial = images < maxImages;
    clock.formingSince = now;
  }

  /** Whether the next batch of a bucket may not be full. */
  boolean mayBePartial(Bucket bucket) {
    return clocks.get(bucket).mayBePartial;
  }

  private Clock clock(Bucket bucket, long now) {
    return clocks.computeIfAbsent(bucket, key -> new Clock(tokens(key), virtualTime, now));
  }

  private static int tokens(Bucket bucket) {
    return ScaleSchedules.find(bucket.schedule()).map(ScaleSchedule::tokens).orElse(1);
  }
}
