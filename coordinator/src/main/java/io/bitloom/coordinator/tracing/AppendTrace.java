package io.bitloom.coordinator.tracing;

import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanAttributes;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.Steps;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.coordinator.queue.AppendListener;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.TaskRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The spans of prompts that one call appends. Parts of it may be told of on several threads. */
public final class AppendTrace implements AppendListener {

  private record Durable(PromptTrace trace, long offset, long at) {}

  private final PromptTraces traces;
  private final Arrival arrival;
  private final String jobId;
  private final long first;
  private final List<NewPrompt> prompts;
  private final List<Durable> durable = new ArrayList<>();

  AppendTrace(
      PromptTraces traces, Arrival arrival, String jobId, long first, List<NewPrompt> prompts) {
    this.traces = traces;
    this.arrival = arrival;
    this.jobId = jobId;
    this.first = first;
    this.prompts = prompts;
  }

  @Override
  public synchronized void durable(long offset, int count) {
    long now = TraceClock.now();
    for (long place = offset; place < offset + count; place++) {
      Optional<PromptTrace> trace = traces.of(jobId, place);
      if (trace.isPresent()) {
        durable.add(new Durable(trace.get(), place, now));
        // Before a worker can have it: the lease takes this away.
        traces.queued(new TaskRef(jobId, place), now);
      }
    }
  }

  /** All buckets have been told. */
  public synchronized void queued() {
    long now = TraceClock.now();
    durable.forEach(one -> record(one, now));
  }

  private void record(Durable one, long now) {
    SpanRef appended = one.trace().span(Steps.APPEND);
    Bucket bucket = prompts.get((int) (one.offset() - first)).bucket();
    TraceSpan.Builder append =
        PromptTraces.span(appended, Steps.APPEND, TraceSpan.Kind.SERVER, jobId, one.offset())
            .with(SpanAttributes.MODEL, bucket.model());
    if (arrival.caller().submits()) {
      append.parent(one.trace().span(Steps.SUBMIT));
    }
    arrival.caller().span().ifPresent(append::link);
    traces.record(append.between(arrival.since(), one.at()));
    traces.record(
        PromptTraces.span(
                one.trace().span(Steps.ENQUEUE),
                Steps.ENQUEUE,
                TraceSpan.Kind.PRODUCER,
                jobId,
                one.offset())
            .parent(appended)
            .with(SpanAttributes.SYSTEM, PromptTraces.SYSTEM)
            .with(SpanAttributes.OPERATION, Steps.ENQUEUE)
            .with(SpanAttributes.OPERATION_TYPE, "send")
            .with(SpanAttributes.DESTINATION, bucket.model())
            .with(SpanAttributes.SCHEDULE, bucket.schedule())
            .between(one.at(), now));
  }
}
