package io.bitloom.coordinator.queue.upkeep;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread for what is to be done at a time. What a task throws is reported here, because it
 * would end a repeated task without a word otherwise. After the end tasks are dropped.
 */
final class Timers implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Timers.class);

  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread timers = new Thread(task, "queue-timers");
            timers.setDaemon(true);
            return timers;
          },
          new ThreadPoolExecutor.DiscardPolicy());

  Timers() {
    thread.setRemoveOnCancelPolicy(true);
  }

  ScheduledFuture<?> in(Duration delay, Runnable task) {
    return thread.schedule(guarded(task), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Repeats a task, at once for the first time if the delay is zero. */
  void every(Duration interval, Duration delay, Runnable task) {
    thread.scheduleWithFixedDelay(
        guarded(task), delay.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (Throwable e) { // an Error, too, would vanish in the task's future
        LOG.error("The queue goes on after an error", e);
      }
    };
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
