package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.Exhausted;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.JobQueue;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many prompts tenants may append. What waits is asked of the queue at most twice a second and
 * counted on here in between, so several coordinators together may let a tenant go over its limit
 * by what it appends in half a second. The rate is that of this coordinator alone.
 */
final class Quotas {

  private static final Duration REFRESH = Duration.ofMillis(500);
  private static final Duration RETRY_FULL = Duration.ofSeconds(5);

  private final JobQueue queue;
  private final Map<String, Use> uses = new ConcurrentHashMap<>();

  Quotas(JobQueue queue) {
    this.queue = queue;
  }

  /** What a tenant does; guarded by itself. */
  private static final class Use {
    private long unfinished;
    private boolean known;
    private long askedNanos;
    private double allowance;
    private long allowedNanos;
  }

  /**
   * Lets a caller append prompts, or fails with {@code LIMIT_EXCEEDED}. A call is let through or
   * not as a whole, also one that is larger than what is allowed in a second; the next one waits
   * for it.
   */
  CompletionStage<Void> admit(Caller caller, int prompts) {
    Use use = uses.computeIfAbsent(caller.tenant(), tenant -> new Use());
    spend(caller, use, prompts);
    return unfinished(caller, use)
        .thenAccept(
            unfinished -> {
              long most = caller.limits().queuedPrompts();
              synchronized (use) {
                if (use.unfinished + prompts > most) {
                  throw exhausted(caller, "queued_prompts", most, RETRY_FULL);
                }
                use.unfinished += prompts;
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

  private CompletionStage<Long> unfinished(Caller caller, Use use) {
    synchronized (use) {
      long now = System.nanoTime();
      if (use.known && now - use.askedNanos < REFRESH.toNanos()) {
        return CompletableFuture.completedStage(use.unfinished);
      }
      use.askedNanos = now;
    }
    return queue
        .unfinishedPrompts(caller.tenant())
        .thenApply(
            unfinished -> {
              synchronized (use) {
                use.unfinished = unfinished;
                use.known = true;
                return unfinished;
              }
            });
  }

  private static BitloomException exhausted(
      Caller caller, String limit, long value, Duration retryAfter) {
    return BitloomException.exhausted(
        new Exhausted("tenants/" + caller.tenant(), limit, value, retryAfter));
  }
}
