package io.bitloom.client.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.Steps;
import io.bitloom.common.trace.TraceSampling;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.common.trace.Tracing;
import io.bitloom.v1.Prompt;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The first spans of prompts' traces. */
class SubmitTracesIT {

  private static final int PROMPTS = 10_000;

  /** Keeps spans. */
  private static final class Kept implements Tracing {
    private final List<TraceSpan> spans = Collections.synchronizedList(new ArrayList<>());

    @Override
    public boolean on() {
      return true;
    }

    @Override
    public TraceSampling sampling() {
      return TraceSampling.NONE; // the coordinator's counts
    }

    @Override
    public void record(TraceSpan span) {
      spans.add(span);
    }

    @Override
    public SpanCounts counts() {
      return new SpanCounts(spans.size(), 0, 0);
    }

    @Override
    public void close() {}
  }

  @Test
  void everyPromptOfTheSampleHasOneThoughAnAcknowledgementWasLost() throws Exception {
    Kept kept = new Kept();
    try (UnsteadyCoordinator coordinator = new UnsteadyCoordinator()) {
      coordinator.traceRatio = 0.25;
      coordinator.messagesUntilHangUp = 7;
      append(coordinator, kept);
      assertEquals(2, coordinator.appendCalls);
    }
    PromptTrace.OfJob job = PromptTrace.ofJob("1");
    TraceSampling sampling = TraceSampling.of(0.25);
    List<SpanRef> expected =
        LongStream.range(0, PROMPTS)
            .mapToObj(offset -> sampling.trace(job, offset))
            .flatMap(Optional::stream)
            .map(trace -> trace.span(Steps.SUBMIT))
            .toList();
    assertTrue(expected.size() > 2_000);
    assertEquals(names(expected), names(kept.spans.stream().map(TraceSpan::self).toList()));
    assertEquals(expected.size(), kept.spans.size());
    assertTrue(kept.spans.stream().allMatch(span -> span.parent().isEmpty()));
  }

  private static TreeSet<String> names(List<SpanRef> spans) {
    return spans.stream().map(SpanRef::traceparent).collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  @SuppressWarnings("try") // the span is current for as long
  void theyAreLinkedToTheSpanInWhichTheProgramIs() throws Exception {
    SpanRef program = SpanRef.of("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    SpanContext current =
        SpanContext.create(
            program.traceId(), program.spanId(), TraceFlags.getSampled(), TraceState.getDefault());
    Kept kept = new Kept();
    try (UnsteadyCoordinator coordinator = new UnsteadyCoordinator();
        Scope inProgram = Span.wrap(current).makeCurrent()) {
      coordinator.traceRatio = 0.01;
      append(coordinator, kept);
    }
    assertTrue(kept.spans.size() > 50);
    assertTrue(kept.spans.stream().allMatch(span -> span.links().equals(List.of(program))));
  }

  @Test
  void withoutARatioThereAreNone() throws Exception {
    Kept kept = new Kept();
    try (UnsteadyCoordinator coordinator = new UnsteadyCoordinator()) {
      append(coordinator, kept);
    }
    assertEquals(List.of(), kept.spans);
  }

  private static void append(UnsteadyCoordinator coordinator, Tracing tracing) {
    try (BitloomClient client =
        BitloomClient.builder("127.0.0.1:" + coordinator.port()).tracing(tracing).build()) {
      client.append(
          "jobs/1",
          0,
          IntStream.range(0, PROMPTS)
              .mapToObj(i -> Prompt.newBuilder().setPrompt("prompt " + i).build())
              .iterator(),
          acknowledged -> {});
    }
  }
}
