package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ReadyBuckets;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Which buckets may have prompts that can be leased, as far as notifications tell. Every
 * notification of a bucket has a number, and a lease that found nothing says which was the last one
 * before it, so that a later notification is never mistaken for an earlier one although they come
 * over different connections.
 */
final class WakeUps implements ReadyBuckets {

  private final Timers timers;
  private final Map<Bucket, State> states = new ConcurrentHashMap<>();

  /** Those whose state says so; looked at far more often than it changes, which replaces it. */
  private volatile Set<Bucket> ready = Set.of();

  private final List<Consumer<Bucket>> listeners = new CopyOnWriteArrayList<>();
  private final List<Consumer<Bucket>> workListeners = new CopyOnWriteArrayList<>();

  WakeUps(Timers timers) {
    this.timers = timers;
  }

  private static final class State {
    private boolean ready;
    private long wake;
    private ScheduledFuture<?> retryTimer;
  }

  @Override
  public Set<Bucket> buckets() {
    return ready;
  }

  @Override
  public Subscription onReady(Consumer<Bucket> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  @Override
  public Subscription onWork(Consumer<Bucket> listener) {
    workListeners.add(listener);
    return () -> workListeners.remove(listener);
  }

  /** Redis told that prompts become ready after a delay. */
  void notified(Bucket bucket, long wake, Duration delay) {
    State state = state(bucket);
    synchronized (state) {
      state.wake = Math.max(state.wake, wake);
    }
    if (delay.isZero()) {
      markReady(bucket);
    } else {
      readyAfter(bucket, delay.toMillis());
    }
    workListeners.forEach(listener -> listener.accept(bucket));
  }

  /** A lease was asked for, and perhaps there is nothing more. */
  void leased(Bucket bucket, BucketScripts.Leased leased) {
    if (leased.moreFresh() || leased.nextRetryMillis() == 0) {
      markReady(bucket);
      return;
    }
    State state = state(bucket);
    boolean missed;
    synchronized (state) { // a timer that fires in here must find that the bucket is not ready
      missed = state.wake > leased.wake();
      if (state.wake <= leased.wake()) {
        state.wake = leased.wake();
        state.ready = false;
        setReady(bucket, false);
      }
      readyAfter(bucket, leased.nextRetryMillis());
    }
    if (missed) { // a notification overtook the reply, and whoever asked for the lease ignored it
      tell(bucket);
    }
  }

  /** The bucket was looked at, because notifications may have been missed. */
  void found(BucketScripts.Standing standing) {
    Bucket bucket = standing.rank().bucket();
    State state = state(bucket);
    synchronized (state) {
      state.wake = Math.max(state.wake, standing.wake());
    }
    if (standing.prompts() > 0) {
      markReady(bucket);
      workListeners.forEach(listener -> listener.accept(bucket));
    }
    readyAfter(bucket, standing.nextRetryMillis());
  }

  /** The buckets are gone, and their notifications are counted anew. */
  void startAnew() {
    states
        .values()
        .forEach(
            state -> {
              synchronized (state) {
                state.wake = 0;
              }
            });
  }

  private void markReady(Bucket bucket) {
    State state = state(bucket);
    boolean news;
    synchronized (state) {
      news = !state.ready;
      state.ready = true;
      setReady(bucket, true);
    }
    if (news) {
      tell(bucket);
    }
  }

  private synchronized void setReady(Bucket bucket, boolean now) {
    if (ready.contains(bucket) != now) {
      Set<Bucket> others = new HashSet<>(ready);
      if (now) {
        others.add(bucket);
      } else {
        others.remove(bucket);
      }
      ready = Set.copyOf(others);
    }
  }

  private void retryDue(Bucket bucket) {
    State state = state(bucket);
    synchronized (state) {
      state.retryTimer = null;
    }
    markReady(bucket);
  }

  private void tell(Bucket bucket) {
    listeners.forEach(listener -> listener.accept(bucket));
  }

  /** The earliest timer wins: whoever leases then is told when the next retry is due. */
  private void readyAfter(Bucket bucket, long millis) {
    if (millis < 0) {
      return;
    }
    State state = state(bucket);
    synchronized (state) {
      ScheduledFuture<?> timer = state.retryTimer;
      if (timer != null && timer.getDelay(TimeUnit.MILLISECONDS) <= millis) {
        return;
      }
      if (timer != null) {
        timer.cancel(false);
      }
      state.retryTimer = timers.in(Duration.ofMillis(millis + 1), () -> retryDue(bucket));
    }
  }

  private State state(Bucket bucket) {
    return states.computeIfAbsent(bucket, b -> new State());
  }
}
