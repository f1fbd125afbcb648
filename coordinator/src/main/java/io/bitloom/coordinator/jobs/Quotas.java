package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.Exhausted;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.StoredBytes;
import io.bitloom.coordinator.queue.TenantLimits;
import io.bitloom.coordinator.queue.TenantUse;
import io.bitloom.coordinator.tracing.AppendTrace;
import io.bitloom.coordinator.tracing.Arrival;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.coordinator.tracing.PromptTraces;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The one way of jobs and prompts into the queue, so that nothing gets in which its tenant may not
 * have. What a tenant uses is counted in the queue. Whoever is far from every limit asks there
 * twice a second, and counts here in between; others ask before they append. The rate is that of
 * this coordinator alone.
 */
public final class Quotas {

  private static final Duration REFRESH = Duration.ofMillis(500);

  /** What fraction of a limit may be appended between two questions. */
  private static final int UNASKED = 64;

  private final JobQueue queue;
  private final PromptTraces traces;
  private final Map<String, Use> uses = new ConcurrentHashMap<>();

  public Quotas(JobQueue queue, PromptTraces traces) {
    this.queue = queue;
    this.traces = traces;
  }

  /** What prompts come with that a call brings now. */
  Arrival arrival(CallersTrace caller) {
    return traces.arrival(caller);
  }

  /** Share of prompts that have a trace, 0 to 1. */
  double traceRatio() {
    return traces.ratio();
  }

  /** What a tenant does; guarded by itself. */
  private static final class Use {
    private TenantUse seen;
    private long seenNanos;
    private TenantUse since = TenantUse.NOTHING;
    private double allowance;
    private long allowedNanos;
  }

  /** What all jobs of a caller's tenant may take. */
  static TenantLimits of(Caller caller) {
    LimitsConfig limits = caller.limits();
    return new TenantLimits(
        limits.openJobs(), limits.queuedPrompts(), limits.queueBytes(), limits.resultBytes());
  }

  /**
   * Creates a job as the queue does. Fails with {@code LIMIT_EXCEEDED} if its tenant may not have
   * it.
   *
   * @param job of the caller's tenant, with the limits of that
   * @throws BitloomException {@code INVALID_FIELD} if its spec is too large
   */
  CompletionStage<JobRecord> create(Caller caller, NewJob job) {
    long most = caller.limits().specBytes();
    if (job.spec().size() > most) {
      throw BitloomException.invalid(
          "job",
          job.spec().size() + " bytes",
          "must have at most " + most + " bytes in name, labels and defaults (spec-bytes)");
    }
    if (job.first().prompts() > 0) {
      spend(caller, job.first().prompts());
    }
    return queue.jobs().create(job);
  }

  /**
   * Appends prompts as the queue does, once the caller's tenant may have them; fails with {@code
   * LIMIT_EXCEEDED} if it may not. A call is let through or not as a whole, also one that is larger
   * than what is allowed in a second; the next one waits for it.
   */
  CompletionStage<Long> append(
      Caller caller, String jobId, long offset, List<NewPrompt> prompts, Arrival arrival) {
    spend(caller, prompts.size());
    long bytes = StoredBytes.of(prompts);
    CompletionStage<?> admitted =
        isFar(caller, prompts.size(), bytes)
            ? CompletableFuture.completedStage(null)
            : reserve(caller, jobId, offset, prompts.size(), bytes);
    return admitted.thenCompose(done -> appendFirst(caller, jobId, offset, prompts, arrival));
  }

  /** Appends prompts that were let in together with their job. */
  CompletionStage<Long> appendFirst(
      Caller caller, String jobId, long offset, List<NewPrompt> prompts, Arrival arrival) {
    long most = caller.limits().jobBytes();
    if (!traces.on()) {
      return queue.prompts().append(jobId, offset, prompts, most);
    }
    AppendTrace trace = traces.append(arrival, jobId, offset, prompts);
    return queue
        .prompts()
        .append(jobId, offset, prompts, most, trace)
        .whenComplete((end, error) -> trace.queued());
  }

  private Use use(Caller caller) {
    return uses.computeIfAbsent(caller.tenant(), tenant -> new Use());
  }

  /** Whether these can be let in without a question; then they count. */
  private boolean isFar(Caller caller, int prompts, long bytes) {
    Use use = use(caller);
    TenantLimits limits = of(caller);
    synchronized (use) {
      TenantUse since = use.since.plus(prompts, bytes);
      boolean far =
          use.seen != null
              && System.nanoTime() - use.seenNanos < REFRESH.toNanos()
              && since.prompts() <= limits.prompts() / UNASKED
              && since.bytes() <= limits.bytes() / UNASKED
              && use.seen.prompts() + since.prompts() <= limits.prompts() / 2
              && use.seen.bytes() + since.bytes() <= limits.bytes() / 2
              && use.seen.results() < limits.results();
      if (far) {
        use.since = since;
      }
      return far;
    }
  }

  private CompletionStage<TenantUse> reserve(
      Caller caller, String jobId, long offset, int prompts, long bytes) {
    return queue
        .prompts()
        .reserve(caller.tenant(), jobId, offset, prompts, bytes, of(caller))
        .whenComplete((now, e) -> seen(use(caller), now));
  }

  private static void seen(Use use, TenantUse now) {
    synchronized (use) {
      use.seen = now;
      use.seenNanos = System.nanoTime();
      use.since = TenantUse.NOTHING;
    }
  }

  private void spend(Caller caller, int prompts) {
    Use use = use(caller);
    int perSecond = caller.limits().promptsPerSecond();
    synchronized (use) {
      long now = System.nanoTime();
      double earned =
          use.allowedNanos == 0 ? perSecond : (now - use.allowedNanos) / 1e9 * perSecond;
      use.allowance = Math.min(perSecond, use.allowance + earned);
      use.allowedNanos = now;
      if (use.allowance <= 0) {
        long nanos = (long) ((1 - use.allowance) / perSecond * 1e9);
        throw BitloomException.exhausted(
            new Exhausted(
                "tenants/" + caller.tenant(),
                "prompts_per_second",
                perSecond,
                (long) (perSecond - use.allowance),
                Duration.ofNanos(nanos)));
      }
      use.allowance -= prompts;
    }
  }
}
