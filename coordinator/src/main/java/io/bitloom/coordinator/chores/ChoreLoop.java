package io.bitloom.coordinator.chores;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.Chores;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes on chores of one kind, so many at once as there are threads, and renews the claims as long
 * as somebody works on them.
 */
public final class ChoreLoop implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ChoreLoop.class);

  /** Somebody may have died, or have more to do than threads. */
  private static final Duration LOOK = Duration.ofSeconds(5);

  private static final Duration AFTER_FAULT = Duration.ofSeconds(5);

  /** Does a chore to its end; blocks. Throws what it cannot mend, and is tried again later. */
  interface Work {
    void run(Hold hold) throws Exception;
  }

  private final Chores chores;
  private final Chores.Kind kind;
  private final int atOnce;
  private final Duration lasts;
  private final Work work;
  private final ExecutorService threads;
  private final Set<Hold> held = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean looking = new AtomicBoolean();
  private volatile boolean lookAgain;
  private volatile boolean closed;

  /**
   * @param atOnce most chores at a time
   * @param lasts how long a claim holds that is not renewed
   * @param timer for short tasks
   */
  ChoreLoop(
      Chores chores,
      Chores.Kind kind,
      int atOnce,
      Duration lasts,
      ScheduledExecutorService timer,
      Work work) {
    this.chores = chores;
    this.kind = kind;
    this.atOnce = atOnce;
    this.lasts = lasts;
    this.work = work;
    String name = kind.name().toLowerCase(Locale.ROOT) + "-";
    AtomicInteger number = new AtomicInteger();
    this.threads =
        Executors.newFixedThreadPool(
            atOnce, task -> new Thread(task, name + number.incrementAndGet()));
    timer.scheduleWithFixedDelay(this::look, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
    long renew = lasts.toMillis() / 3;
    timer.scheduleWithFixedDelay(this::renew, renew, renew, TimeUnit.MILLISECONDS);
  }

  /** Looks for something to do, now. */
  public void look() {
    lookAgain = true;
    if (closed || !looking.compareAndSet(false, true)) {
      return;
    }
    lookAgain = false;
    int most = atOnce - held.size();
    if (most <= 0) {
      looking.set(false);
      return;
    }
    chores
        .takeOn(kind, most, lasts)
        .whenComplete(
            (claims, e) -> {
              if (e == null) {
                claims.forEach(this::begin);
              } else {
                log.debug("cannot look for {}: {}", kind, e.toString());
              }
              looking.set(false);
              if (e == null && lookAgain) {
                look();
              }
            });
  }

  private void begin(Chores.Claim claim) {
    Hold hold = new Hold(claim);
    held.add(hold);
    try {
      threads.execute(() -> run(hold));
    } catch (RejectedExecutionException e) {
      held.remove(hold);
      giveBack(hold, Duration.ZERO);
    }
  }

  private void run(Hold hold) {
    try {
      work.run(hold);
      Hold.join(chores.done(hold.claim()));
    } catch (Hold.OverException e) {
      giveBack(hold, Duration.ZERO); // without effect if it is another's
    } catch (Exception e) {
      if (isGone(e)) {
        chores.done(hold.claim());
      } else {
        if (e instanceof BitloomException) {
          log.warn("{} of job {} fails, trying again: {}", kind, hold.jobId(), e.getMessage());
        } else {
          log.error("{} of job {} broke off, trying again", kind, hold.jobId(), e);
        }
        giveBack(hold, AFTER_FAULT);
      }
    } finally {
      held.remove(hold);
      look();
    }
  }

  private static boolean isGone(Exception e) {
    return e instanceof BitloomException known && known.code() == ErrorCode.JOB_NOT_FOUND;
  }

  private void giveBack(Hold hold, Duration after) {
    chores
        .giveBack(hold.claim(), after)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                log.debug("{} of job {} waits for its claim to end", kind, hold.jobId());
              }
            });
  }

  private void renew() {
    for (Hold hold : held) {
      chores
          .keep(hold.claim(), lasts)
          .whenComplete(
              (kept, e) -> {
                if (e == null && !kept) {
                  hold.end();
                }
              });
    }
  }

  /** Ends what is being done; others go on with it. */
  @Override
  public void close() {
    closed = true;
    held.forEach(Hold::end);
    threads.shutdown();
    try {
      if (!threads.awaitTermination(2, TimeUnit.SECONDS)) {
        threads.shutdownNow();
      }
    } catch (InterruptedException e) {
      threads.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
