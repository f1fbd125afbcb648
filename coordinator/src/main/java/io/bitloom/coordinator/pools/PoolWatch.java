package io.bitloom.coordinator.pools;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ReadyBuckets;
import io.bitloom.coordinator.queue.Subscription;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Tells whether a pool needs workers, at once and after every change. While it needs none, nothing
 * is done until the queue tells of work; while it needs some, it is looked at now and then.
 */
public final class PoolWatch implements Subscription {

  /** Who watches. Called one at a time. */
  public interface Listener {
    void active(boolean active);

    /** It is not known how the pool stands, from the beginning; nothing more comes. */
    void failed(Throwable error);
  }

  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  /** Between looks because of work, which may be another pool's. */
  private static final Duration PAUSE = Duration.ofMillis(200);

  private enum Told {
    NOTHING,
    ACTIVE,
    INACTIVE
  }

  private final PoolScaling pools;
  private final PoolTarget target;
  private final ScheduledExecutorService timer;
  private final Listener listener;
  private final Subscription onWork;

  // Guarded by this.
  private Told told = Told.NOTHING;
  private boolean looking;
  private long lookedNanos;
  private boolean work;
  private boolean closed;
  private Future<?> timed = CompletableFuture.completedFuture(null);

  private PoolWatch(
      PoolScaling pools,
      PoolTarget target,
      ReadyBuckets ready,
      ScheduledExecutorService timer,
      Listener listener) {
    this.pools = pools;
    this.target = target;
    this.timer = timer;
    this.listener = listener;
    this.onWork = ready.onWork(this::work);
  }

  /** Begins to tell a listener. */
  static PoolWatch start(
      PoolScaling pools,
      PoolTarget target,
      ReadyBuckets ready,
      ScheduledExecutorService timer,
      Listener listener) {
    PoolWatch watch = new PoolWatch(pools, target, ready, timer, listener);
    watch.look();
    return watch;
  }

  /** An active pool has work already; what comes besides does not change that. */
  private synchronized void work(Bucket bucket) {
    if (!target.mayTake(bucket) || told == Told.ACTIVE && !looking) {
      return;
    }
    boolean waits = work || looking;
    work = true;
    if (!waits) {
      lookAfter(PAUSE.minusNanos(System.nanoTime() - lookedNanos));
    }
  }

  private synchronized void lookAfter(Duration pause) {
    timed.cancel(false);
    if (!closed) {
      timed = timer.schedule(this::look, pause.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void look() {
    boolean news;
    synchronized (this) {
      if (closed || looking) {
        return;
      }
      looking = true;
      lookedNanos = System.nanoTime();
      news = work;
      work = false;
    }
    (news ? pools.standingNow(target) : pools.standing(target)).whenComplete(this::looked);
  }

  private synchronized void looked(PoolStanding standing, Throwable error) {
    looking = false;
    if (closed) {
      return;
    }
    if (error != null && told == Told.NOTHING) {
      close();
      listener.failed(error);
      return;
    }
    if (error == null) {
      tell(standing.active() ? Told.ACTIVE : Told.INACTIVE);
    }
    if (work && told == Told.INACTIVE) {
      lookAfter(PAUSE);
    } else if (error != null || told == Told.ACTIVE) {
      work = false;
      lookAfter(LOOK_AGAIN);
    }
  }

  private void tell(Told now) {
    if (now != told) {
      told = now;
      listener.active(now == Told.ACTIVE);
    }
  }

  /** Nothing is told any more. */
  @Override
  public synchronized void close() {
    closed = true;
    timed.cancel(false);
    onWork.close();
  }
}
