package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.Exhausted;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many prompts tenants may append. What waits is asked of the queue at most twice a second and
 * counted on here in between. Where that is near the limit, prompts are reserved in the queue
 * first, so that a tenant stays within it however many coordinators it appends at. The rate is that
 * of this coordinator alone.
 */
final class Quotas {

  private static final Duration REFRESH = Duration.ofMillis(500);
  private static final Duration RETRY_FULL = Duration.ofSeconds(5);

  /** Near is what several coordinators could let in between two looks at the queue. */
  private static final long NEAR_SECONDS = 4;

  private final JobQueue queue;
  private final Map<String, Use> uses = new ConcurrentHashMap<>();

  Quotas(JobQueue queue) {
    this.queue = queue;
  }

  /** What a tenant does; guarded by itself. */
  private static final class Use {
    private List<JobRecord> open;
    private long unfinished;
    private long askedNanos;
    private double allowance;
    private long allowedNanos;
  }

  /**
   * Lets a caller append prompts to a job, or fails with {@code LIMIT_EXCEEDED}. A call is let
   * through or not as a whole, also one that is larger than what is allowed in a second; the next
   * one waits for it.
   *
   * @param offset of the first prompt in the job
   */
  CompletionStage<Void> admit(Caller caller, String jobId, long offset, int prompts) {
    Use use = uses.computeIfAbsent(caller.tenant(), tenant -> new Use());
    spend(caller, use, prompts);
    long most = caller.limits().queuedPrompts();
    long near = most - NEAR_SECONDS * caller.limits().promptsPerSecond();
    return look(caller, use)
        .thenCompose(
            open -> {
              synchronized (use) {
                use.unfinished += prompts;
                if (use.unfinished <= near) {
                  return CompletableFuture.completedStage(true);
                }
              }
              return queue.prompts().admit(caller.tenant(), jobId, offset, prompts, most, open);
            })
        .thenAccept(
            admitted -> {
              if (!admitted) {
                synchronized (use) {
                  use.unfinished -= prompts;
                }
                throw exhausted(caller, "queued_prompts", most, RETRY_FULL);
              }
            });
  }

  private static void spend(Caller caller, Use use, int prompts) {
    int perSecond = caller.limits().promptsPerSecond();
    synchronized (use) {
      long now = System.nanoTime();
      double earned =
          use.allowedNanos == 0 ? perSecond : (now - use.allowedNanos) / 1e9 * perSecond;
      use.allowance = Math.min(perSecond, use.allowance + earned);
      use.allowedNanos = now;
      if (use.allowance <= 0) {
        long nanos = (long) ((1 - use.allowance) / perSecond * 1e9);
        throw exhausted(caller, "prompts_per_second", perSecond, Duration.ofNanos(nanos));
      }
      use.allowance -= prompts;
    }
  }

  /** The tenant's open jobs, not older than a moment. */
  private CompletionStage<List<JobRecord>> look(Caller caller, Use use) {
    synchronized (use) {
      long now = System.nanoTime();
      if (use.open != null && now - use.askedNanos < REFRESH.toNanos()) {
        return CompletableFuture.completedStage(use.open);
      }
      use.askedNanos = now;
    }
    return queue
        .jobs()
        .open(caller.tenant())
        .thenApply(
            open -> {
              synchronized (use) {
                use.open = open;
                use.unfinished =
                    open.stream()
                        .mapToLong(job -> job.counts().appended() - job.counts().decided())
                        .sum();
                return open;
              }
            });
  }

  private static BitloomException exhausted(
      Caller caller, String limit, long value, Duration retryAfter) {
    return BitloomException.exhausted(
        new Exhausted("tenants/" + caller.tenant(), limit, value, retryAfter));
  }
}
