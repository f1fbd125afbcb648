package io.bitloom.worker.session;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanAttributes;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.Steps;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.common.trace.TraceSampling;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.common.trace.Tracing;
import io.bitloom.engine.BatchTimeline;
import io.bitloom.engine.PromptWork;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Lease;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.Optional;

/**
 * The worker's spans in the traces of the prompts that it draws. Which prompts have one follows
 * from the ratio that the coordinator tells; without {@link Tracing} here none has. May be used
 * from any thread.
 */
final class WorkerTraces {

  /** No prompt has a trace. */
  static final WorkerTraces OFF = new WorkerTraces(Tracing.OFF);

  private final Tracing tracing;
  private volatile TraceSampling sampling = TraceSampling.NONE;

  WorkerTraces(Tracing tracing) {
    this.tracing = tracing;
  }

  /** The coordinator said which prompts have a trace. */
  void welcomed(double ratio) {
    sampling = tracing.on() ? TraceSampling.of(ratio) : TraceSampling.NONE;
  }

  /** Whether any prompt has a trace. */
  boolean on() {
    return sampling.any();
  }

  /** The time, for what happens next; 0 if nobody asks. */
  long now() {
    return on() ? TraceClock.now() : 0;
  }

  private Optional<PromptTrace> of(TaskRef task) {
    return sampling.trace(PromptTrace.ofJob(task.getJob()), task.getOffset());
  }

  /**
   * The device is done with a lease, which is a trace of its own that names those of its prompts.
   *
   * @param tasks its prompts that were given to the engine
   * @param since when it came; 0 if nobody asked then
   */
  void batch(Lease lease, List<TaskRef> tasks, long since) {
    TraceSpan.Builder span =
        TraceSpan.of(
                PromptTrace.ofLease(lease.getLeaseId()).span(Steps.PROCESS),
                Steps.PROCESS + " " + lease.getModel(),
                TraceSpan.Kind.CONSUMER)
            .with(SpanAttributes.SYSTEM, "bitloom")
            .with(SpanAttributes.OPERATION, Steps.PROCESS)
            .with(SpanAttributes.OPERATION_TYPE, "process")
            .with(SpanAttributes.DESTINATION, lease.getModel())
            .with(SpanAttributes.BATCH_COUNT, tasks.size())
            .with(SpanAttributes.LEASE, lease.getLeaseId())
            .with(SpanAttributes.SCHEDULE, lease.getSchedule());
    describeModel(span, lease.getModel());
    boolean traced = false;
    for (TaskRef task : tasks) {
      Optional<PromptTrace> trace = of(task);
      if (trace.isPresent()) {
        traced = true;
        span.link(trace.get().span(Steps.LEASE, lease.getFencingToken()));
      }
    }
    if (traced && since != 0) {
      tracing.record(span.between(since, TraceClock.now()));
    }
  }

  private static void describeModel(TraceSpan.Builder span, String model) {
    span.with(SpanAttributes.GENAI_OPERATION, "generate_content")
        .with(SpanAttributes.GENAI_PROVIDER, "bitloom")
        .with(SpanAttributes.MODEL, model)
        .with(SpanAttributes.OUTPUT_TYPE, "image");
  }

  /** The engine is done with a prompt, whatever came of it. */
  void drawn(HeldLease lease, ScaleSchedule schedule, TaskRef task, PromptWork work) {
    of(task).ifPresent(trace -> new Drawn(lease, task, trace).stages(schedule, work));
  }

  /**
   * Image files of a prompt have left the worker, or could not.
   *
   * @param since when that began; 0 if nobody asked then
   * @param target {@code store} or {@code coordinator}
   * @param failure why they could not; empty if they have
   */
  void uploaded(LeasedOutcome outcome, long since, String target, String failure) {
    of(outcome.task())
        .filter(trace -> since != 0)
        .ifPresent(
            trace -> {
              Drawn prompt = new Drawn(outcome.lease(), outcome.task(), trace);
              long bytes =
                  outcome.outcome().getImages().getImagesList().stream()
                      .mapToLong(GeneratedImage::getSizeBytes)
                      .sum();
              tracing.record(
                  prompt
                      .span(Steps.UPLOAD, TraceSpan.Kind.CLIENT)
                      .with(SpanAttributes.TARGET, target)
                      .with(SpanAttributes.BYTES, bytes)
                      .error(failure)
                      .between(since, TraceClock.now()));
            });
  }

  /** One prompt of a lease. */
  private final class Drawn {
    private final HeldLease lease;
    private final TaskRef task;
    private final SpanRef parent;

    Drawn(HeldLease lease, TaskRef task, PromptTrace trace) {
      this.lease = lease;
      this.task = task;
      this.parent = trace.span(Steps.LEASE, lease.getFencingToken());
    }

    TraceSpan.Builder span(String name, TraceSpan.Kind kind) {
      return TraceSpan.of(SpanRef.inTraceOf(parent), name, kind)
          .parent(parent)
          .with(SpanAttributes.JOB, task.getJob())
          .with(SpanAttributes.OFFSET, task.getOffset())
          .with(SpanAttributes.LEASE, lease.getLeaseId());
    }

    void stages(ScaleSchedule schedule, PromptWork work) {
      long toEpoch = TraceClock.offsetOfNanoTime();
      for (BatchTimeline batch : work.batches()) {
        TraceSpan.Builder text =
            stage(Steps.TEXT, batch)
                .with(SpanAttributes.SEED, work.prompt().seed())
                .with(SpanAttributes.CHOICES, work.prompt().numImages());
        describeModel(text, lease.getModel());
        record(text, batch.start() + toEpoch, batch.encoded() + toEpoch);
        scales(schedule, batch, toEpoch);
        record(stage(Steps.DECODE, batch), batch.generated() + toEpoch, batch.decoded() + toEpoch);
      }
      if (work.result().isDone() && !work.result().isCompletedExceptionally()) {
        record(
            span(Steps.ENCODE, TraceSpan.Kind.INTERNAL),
            work.encodeStart() + toEpoch,
            work.encodeEnd() + toEpoch);
      }
    }

    /** The last scale is over when the device has done all that it took in advance. */
    private void scales(ScaleSchedule schedule, BatchTimeline batch, long toEpoch) {
      int scales = batch.scales().size();
      long start = batch.encoded();
      for (int k = 0; k < scales; k++) {
        long end = k == scales - 1 ? batch.generated() : batch.scales().get(k);
        Scale scale = schedule.scales().get(k);
        record(
            stage(Steps.SCALE + " " + (k + 1) + "/" + scales, batch)
                .with(SpanAttributes.SIZE, scale.height() + "x" + scale.width())
                .with(SpanAttributes.TOKENS, (long) scale.height() * scale.width()),
            start + toEpoch,
            end + toEpoch);
        start = end;
      }
    }

    private TraceSpan.Builder stage(String name, BatchTimeline batch) {
      return span(name, TraceSpan.Kind.INTERNAL).with(SpanAttributes.IMAGES, batch.images());
    }

    private void record(TraceSpan.Builder span, long start, long end) {
      tracing.record(span.between(start, end));
    }
  }
}
