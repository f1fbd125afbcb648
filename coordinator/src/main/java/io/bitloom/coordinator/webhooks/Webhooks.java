package io.bitloom.coordinator.webhooks;

import io.bitloom.coordinator.auth.TenantWebhooks;
import io.bitloom.coordinator.config.WebhookConfig;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.WebhookQueue;
import io.bitloom.v1.Job;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells receivers what becomes of jobs, as all coordinators do together: each takes jobs that are
 * due from the queue, so many as it has room for, and has {@link Telling} do what is to be done.
 * Looks when the queue says that something may be due, and when the next job is; where nobody is to
 * be told of any job, never by itself.
 */
public final class Webhooks implements AutoCloseable {

  /** Jobs that are worked on at a time, here. */
  static final int MOST_AT_ONCE = 64;

  private static final Logger LOG = LoggerFactory.getLogger(Webhooks.class);
  private static final int TAKEN_AT_ONCE = 32;

  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  /** How long an end waits for attempts that are under way, so that they are not repeated. */
  private static final Duration END = Duration.ofSeconds(2);

  private final WebhookQueue queue;
  private final Telling telling;
  private final Lookup lookup;
  private final WebhookSender sender;
  private final Duration timeout;
  private final ScheduledExecutorService timers;
  private final Subscription subscription;

  // Guarded by this.
  private int open;
  private boolean looking;
  private boolean lookAgain;
  private boolean closed;
  private ScheduledFuture<?> timer;

  /**
   * @param messages jobs as callers see them
   * @param tenants what is known of a tenant, by its name
   * @throws io.bitloom.common.config.ConfigException if the file of certificates has none
   */
  public Webhooks(
      JobQueue queue,
      WebhookConfig config,
      Targets targets,
      Function<JobRecord, Job> messages,
      Function<String, TenantWebhooks> tenants,
      ScheduledExecutorService timers,
      MeterRegistry registry) {
    this.queue = queue.webhooks();
    this.sender = new WebhookSender(config.ca(), MOST_AT_ONCE);
    this.lookup = new Lookup(InetAddress::getAllByName, targets);
    this.timeout = config.timeout();
    this.timers = timers;
    this.telling =
        new Telling(
            this.queue,
            queue.jobs(),
            messages,
            tenants,
            lookup,
            sender,
            new RetrySchedule(config.retries()),
            timeout,
            new WebhookMetrics(registry));
    this.subscription = this.queue.onDue(this::look);
    look();
  }

  /** Takes what is due, as much as there is room for. */
  private void look() {
    int most;
    synchronized (this) {
      most = Math.min(TAKEN_AT_ONCE, MOST_AT_ONCE - open);
      if (closed || looking || most == 0) {
        lookAgain = true;
        return;
      }
      looking = true;
      lookAgain = false;
    }
    long lastNanos = System.nanoTime() + timeout.toNanos();
    queue
        // To begin an attempt, for the attempt, and for noting how it went.
        .claim(most, timeout.multipliedBy(3))
        .whenComplete(
            (due, e) -> {
              if (e != null) {
                LOG.debug("what is to be told cannot be looked up: {}", e.toString());
                looked(0, most);
                watch(PAUSE_AFTER_ERROR);
              } else {
                taken(due, lastNanos, most);
              }
            });
  }

  private void taken(WebhookQueue.Due due, long lastNanos, int most) {
    looked(due.claims().size(), most);
    due.next().ifPresent(this::watch);
    for (WebhookQueue.Claim claim : due.claims()) {
      telling
          .tell(new Telling.Taken(claim, due.now(), lastNanos))
          .whenComplete(
              (again, e) -> {
                if (e != null) {
                  LOG.debug("job {} is told of later: {}", claim.jobId(), e.toString());
                } else {
                  again.ifPresent(this::watch);
                }
                ended();
              });
    }
  }

  private void looked(int claims, int most) {
    boolean again;
    synchronized (this) {
      looking = false;
      open += claims;
      again = lookAgain || claims == most;
    }
    if (again) {
      look();
    }
  }

  private void ended() {
    boolean again;
    synchronized (this) {
      open--;
      again = lookAgain && !closed;
      notifyAll();
    }
    if (again) {
      look();
    }
  }

  /** Something is due after this time. */
  private synchronized void watch(Duration left) {
    long millis = left.toMillis() + 1;
    if (closed
        || timer != null && !timer.isDone() && timer.getDelay(TimeUnit.MILLISECONDS) <= millis) {
      return;
    }
    if (timer != null) {
      timer.cancel(false);
    }
    try {
      timer = timers.schedule(this::lookNow, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("the coordinator ends: {}", e.toString());
    }
  }

  private void lookNow() {
    synchronized (this) {
      timer = null;
    }
    look();
  }

  /** Takes nothing more, and lets attempts that are under way end if they do so soon. */
  @Override
  public void close() {
    subscription.close();
    synchronized (this) {
      closed = true;
      long end = System.nanoTime() + END.toNanos();
      try {
        for (long left = END.toMillis(); open > 0 && left > 0; ) {
          wait(left);
          left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    sender.close();
    lookup.close();
  }
}
