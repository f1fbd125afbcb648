package io.bitloom.worker.kubernetes;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells Kubernetes whether this pod has work, so that idle workers go first when there are to be
 * fewer: of the pods of a ReplicaSet, those with a lower {@code
 * controller.kubernetes.io/pod-deletion-cost} are deleted before others.
 *
 * <p>The API server asks not to be told often. Work is said when it begins, and its end only after
 * a while without work, so that the gaps between batches are not said at all.
 */
public final class PodDeletionCost implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PodDeletionCost.class);
  private static final int BUSY = 100;
  private static final int IDLE = 0;

  /** How often is looked whether there is work. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration IDLE_AFTER = Duration.ofSeconds(15);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(30);

  private final ApiServer server;
  private final BooleanSupplier busy;
  private final long idleAfter; // looks
  private final long afterFailure; // looks
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread named = new Thread(task, "deletion-cost");
            named.setDaemon(true);
            return named;
          });

  private long idleLooks;
  private long pause;
  private int said = IDLE; // as it is without the annotation
  private boolean failed;

  /**
   * @param busy whether the worker has work
   */
  public PodDeletionCost(ApiServer server, BooleanSupplier busy) {
    this(server, busy, LOOK);
  }

  /**
   * @param look how often is looked whether there is work; other times are multiples of it
   */
  PodDeletionCost(ApiServer server, BooleanSupplier busy, Duration look) {
    this.server = server;
    this.busy = busy;
    this.idleAfter = IDLE_AFTER.dividedBy(LOOK);
    this.afterFailure = AFTER_FAILURE.dividedBy(LOOK);
    thread.scheduleWithFixedDelay(this::look, 0, look.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void look() {
    idleLooks = busy.getAsBoolean() ? 0 : idleLooks + 1;
    int cost = idleLooks == 0 ? BUSY : idleLooks >= idleAfter ? IDLE : said;
    if (cost != said && pause-- <= 0) {
      say(cost);
    }
  }

  private void say(int cost) {
    try {
      server.patchPod(
          "{\"metadata\":{\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\""
              + cost
              + "\"}}}");
      said = cost;
      failed = false;
      pause = 0;
    } catch (IOException e) {
      if (!failed) { // once
        log.warn("Kubernetes does not hear whether this pod has work: {}", e.toString());
      }
      failed = true;
      pause = afterFailure;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
