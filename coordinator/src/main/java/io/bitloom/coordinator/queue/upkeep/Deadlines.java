package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.Stages;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends jobs whose completion window has passed. One timer sleeps until the earliest deadline; every
 * coordinator has one, so that none is missed, and ending a job twice does nothing.
 */
final class Deadlines {

  private static final Logger LOG = LoggerFactory.getLogger(Deadlines.class);
  private static final int JOBS = 64;
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  private final JobIndex index;
  private final JobEnd jobEnd;
  private final Timers timers;
  private ScheduledFuture<?> timer;

  Deadlines(JobIndex index, JobEnd jobEnd, Timers timers) {
    this.index = index;
    this.jobEnd = jobEnd;
    this.timers = timers;
  }

  /** A job may have to be ended after this time. */
  synchronized void watch(Duration left) {
    long millis = left.toMillis() + 1;
    if (timer != null && !timer.isDone() && timer.getDelay(TimeUnit.MILLISECONDS) <= millis) {
      return;
    }
    if (timer != null) {
      timer.cancel(false);
    }
    timer = timers.in(Duration.ofMillis(millis), this::lookNow);
  }

  /** This timer is over, whether or not it counts as done before Redis has answered. */
  private void lookNow() {
    synchronized (this) {
      timer = null;
    }
    look();
  }

  /** Ends what is to be ended now, and sees to what comes next. */
  void look() {
    index
        .pastDeadline(JOBS)
        .thenCompose(
            due ->
                Stages.all(due.jobIds().stream().map(this::end).toList())
                    .thenAccept(
                        done -> {
                          if (due.jobIds().size() == JOBS) {
                            watch(Duration.ZERO);
                          } else if (due.nextMillis() >= 0) {
                            watch(Duration.ofMillis(due.nextMillis()));
                          }
                        }))
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                LOG.debug("deadlines cannot be looked at, trying again: {}", e.toString());
                watch(PAUSE_AFTER_ERROR);
              }
            });
  }

  private CompletionStage<Void> end(String jobId) {
    return jobEnd
        .stop(jobId, ResultRecord.Status.EXPIRED)
        .thenCompose(done -> index.dropDeadline(jobId));
  }
}
