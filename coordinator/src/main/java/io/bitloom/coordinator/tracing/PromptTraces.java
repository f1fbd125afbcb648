package io.bitloom.coordinator.tracing;

import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanAttributes;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.Steps;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.common.trace.TraceSampling;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The coordinator's spans in the traces of prompts. Whoever has many prompts asks {@link #on} once,
 * before anything of this is called for any of them. May be used from any thread.
 */
public final class PromptTraces {

  /** No prompt has a trace. */
  public static final PromptTraces OFF = new PromptTraces(Tracing.OFF);

  static final String SYSTEM = "bitloom";

  private final Tracing tracing;
  private final TraceSampling sampling;
  private final WaitingSince waiting = new WaitingSince();

  /** Neighbours are mostly of one job. */
  private volatile PromptTrace.OfJob lastJob = PromptTrace.ofJob("");

  public PromptTraces(Tracing tracing) {
    this.tracing = tracing;
    this.sampling = tracing.sampling();
  }

  /** Whether any prompt has a trace. */
  public boolean on() {
    return sampling.any();
  }

  /** Share of prompts that have a trace, 0 to 1. */
  public double ratio() {
    return sampling.ratio();
  }

  /** The trace of a prompt, if it has one. */
  Optional<PromptTrace> of(String jobId, long offset) {
    PromptTrace.OfJob job = lastJob;
    if (!job.jobId().equals(jobId)) {
      job = PromptTrace.ofJob(jobId);
      lastJob = job;
    }
    return sampling.trace(job, offset);
  }

  private Optional<PromptTrace> of(TaskRef task) {
    return of(task.jobId(), task.offset());
  }

  void record(TraceSpan span) {
    tracing.record(span);
  }

  /** A span of a prompt's trace, with what says which prompt it is. */
  static TraceSpan.Builder span(
      SpanRef self, String step, TraceSpan.Kind kind, String jobId, long offset) {
    return TraceSpan.of(self, step, kind)
        .with(SpanAttributes.JOB, JobNames.of(jobId))
        .with(SpanAttributes.OFFSET, offset);
  }

  private static TraceSpan.Builder span(
      SpanRef self, String step, TraceSpan.Kind kind, TaskRef task) {
    return span(self, step, kind, task.jobId(), task.offset());
  }

  // In

  /**
   * Prompts come in with a call.
   *
   * @param caller what it says of its own traces
   */
  public Arrival arrival(CallersTrace caller) {
    return on() ? new Arrival(TraceClock.now(), caller) : Arrival.UNTRACED;
  }

  /** Spans of prompts that are being appended; complete when {@link AppendTrace#queued} is told. */
  public AppendTrace append(Arrival arrival, String jobId, long offset, List<NewPrompt> prompts) {
    return new AppendTrace(this, arrival, jobId, offset, prompts);
  }

  void queued(TaskRef task, long now) {
    waiting.put(task, new WaitingSince.Wait(now, Optional.empty()));
  }

  // To a worker

  /** A lease goes to its worker. */
  public void leased(LeasedBatch batch, String worker) {
    long now = TraceClock.now();
    for (LeasedTask leased : batch.tasks()) {
      of(leased.task()).ifPresent(trace -> leased(trace, leased, batch, worker, now));
    }
  }

  private void leased(
      PromptTrace trace, LeasedTask leased, LeasedBatch batch, String worker, long now) {
    LeaseRef lease = batch.lease();
    Optional<WaitingSince.Wait> wait = waiting.take(leased.task());
    TraceSpan.Builder span =
        span(
                trace.span(Steps.LEASE, lease.token()),
                Steps.LEASE,
                TraceSpan.Kind.CLIENT,
                leased.task())
            .parent(trace.span(Steps.ENQUEUE))
            .link(PromptTrace.ofLease(lease.id()).span(Steps.PROCESS))
            .with(SpanAttributes.SYSTEM, SYSTEM)
            .with(SpanAttributes.OPERATION, Steps.LEASE)
            .with(SpanAttributes.OPERATION_TYPE, "receive")
            .with(SpanAttributes.DESTINATION, lease.bucket().model())
            .with(SpanAttributes.SCHEDULE, lease.bucket().schedule())
            .with(SpanAttributes.LEASE, lease.id())
            .with(SpanAttributes.WORKER, worker)
            .with(SpanAttributes.ATTEMPT, leased.attempt())
            .with(SpanAttributes.BATCH_COUNT, batch.tasks().size());
    wait.flatMap(WaitingSince.Wait::last).ifPresent(span::link);
    record(span.between(wait.map(WaitingSince.Wait::since).orElse(now), now));
  }

  // Back from it

  /**
   * What became of an outcome that a worker reported.
   *
   * @param came when it did, by {@link TraceClock}
   * @param failure why there are no images; empty if there are
   */
  public void settled(
      LeaseRef lease, TaskRef task, long came, TaskVerdict verdict, String failure) {
    of(task).ifPresent(trace -> settled(trace, lease, task, came, verdict, failure));
  }

  private void settled(
      PromptTrace trace,
      LeaseRef lease,
      TaskRef task,
      long came,
      TaskVerdict verdict,
      String failure) {
    long now = TraceClock.now();
    SpanRef leased = trace.span(Steps.LEASE, lease.token());
    boolean last = verdict == TaskVerdict.COMMITTED;
    record(
        span(
                trace.span(Steps.COMMIT, last ? 0 : lease.token()),
                Steps.COMMIT,
                TraceSpan.Kind.CLIENT,
                task)
            .parent(leased)
            .with(SpanAttributes.SYSTEM, SYSTEM)
            .with(SpanAttributes.OPERATION, Steps.COMMIT)
            .with(SpanAttributes.OPERATION_TYPE, "settle")
            .with(SpanAttributes.DESTINATION, lease.bucket().model())
            .with(SpanAttributes.LEASE, lease.id())
            .with(SpanAttributes.VERDICT, verdict.name().toLowerCase(Locale.ROOT))
            .error(failure)
            .between(came, now));
    if (verdict == TaskVerdict.RETRIED) {
      waiting.put(task, new WaitingSince.Wait(now, Optional.of(leased)));
    }
  }

  /** The span that an exemplar of a batch's prompt points to; empty if it has no trace. */
  public Optional<SpanRef> exemplar(LeaseRef lease, TaskRef task) {
    return on() ? of(task).map(trace -> trace.span(Steps.LEASE, lease.token())) : Optional.empty();
  }

  // Out

  /**
   * A result was handed to a reader.
   *
   * @param since when its images began to be read, by {@link TraceClock}
   * @param failure why there are no images; empty if there are
   */
  public void delivered(String jobId, long offset, long since, String failure) {
    of(jobId, offset)
        .ifPresent(
            trace ->
                record(
                    span(
                            SpanRef.inTraceOf(trace.span(Steps.COMMIT)),
                            Steps.DELIVER,
                            TraceSpan.Kind.SERVER,
                            jobId,
                            offset)
                        .parent(trace.span(Steps.COMMIT))
                        .error(failure)
                        .between(since, TraceClock.now())));
  }
}
