package io.bitloom.common.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceId;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PromptTraceTest {

  private static final PromptTrace.OfJob JOB = PromptTrace.ofJob("jobs/a1");

  @Test
  void idsFollowFromJobAndOffsetWhoeverMakesThem() {
    PromptTrace trace = JOB.at(7);
    assertEquals(trace, PromptTrace.ofJob("a1").at(7));
    assertEquals(trace.span(Steps.LEASE, 3), PromptTrace.ofJob("a1").at(7).span(Steps.LEASE, 3));
    // Other versions of Bitloom, in the same cluster, must make the same ones.
    assertEquals(
        "00-9990e24c123a78f528c434186806ed6e-18b58d531299278c-01", trace.span("a").traceparent());
  }

  @Test
  void idsAreValidAndOfOnePromptAndStepOnly() {
    Set<String> traces = new HashSet<>();
    Set<String> spans = new HashSet<>();
    for (String job : List.of("a1", "a2")) {
      for (long offset = 0; offset < 5_000; offset++) {
        PromptTrace trace = PromptTrace.ofJob(job).at(offset);
        SpanRef span = trace.span(Steps.COMMIT);
        assertTrue(TraceId.isValid(span.traceId()));
        assertTrue(SpanId.isValid(span.spanId()));
        assertTrue(traces.add(span.traceId()));
        assertTrue(spans.add(span.spanId()));
        assertTrue(spans.add(trace.span(Steps.LEASE, offset).spanId()));
      }
    }
    assertNotEquals(JOB.at(0).span(Steps.LEASE, 1), JOB.at(0).span(Steps.LEASE, 2));
  }

  @Test
  void aRatioTakesThePromptsThatOpenTelemetryTakes() {
    for (double ratio : new double[] {0, 0.001, 0.25, 0.5, 0.999, 1}) {
      Sampler sampler = Sampler.traceIdRatioBased(ratio);
      TraceSampling sampling = TraceSampling.of(ratio);
      int taken = 0;
      for (long offset = 0; offset < 10_000; offset++) {
        boolean sampled =
            sampler
                    .shouldSample(
                        Context.root(),
                        JOB.at(offset).span("a").traceId(),
                        "a",
                        SpanKind.INTERNAL,
                        Attributes.empty(),
                        List.of())
                    .getDecision()
                == SamplingDecision.RECORD_AND_SAMPLE;
        assertEquals(sampled, sampling.trace(JOB, offset).isPresent(), "at " + offset);
        taken += sampled ? 1 : 0;
      }
      assertEquals(ratio, taken / 10_000.0, 0.02);
    }
  }

  @Test
  void aRatioThatIsNoneTakesNothing() {
    for (double ratio : new double[] {-1, 1.5, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertEquals(Optional.empty(), TraceSampling.of(ratio).trace(JOB, 0));
    }
  }

  @Test
  void onlyASampledTraceparentNamesASpan() {
    SpanRef span = JOB.at(1).span(Steps.SUBMIT);
    assertEquals(Optional.of(span), SpanRef.sampledIn(span.traceparent()));
    String header = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";
    assertTrue(SpanRef.sampledIn("cc" + header + "03-what-comes-later").isPresent());
    for (String other :
        new String[] {
          null,
          "",
          "00" + header + "00",
          "ff" + header + "01",
          "00" + header.toUpperCase(Locale.ROOT) + "01",
          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"
        }) {
      assertEquals(Optional.empty(), SpanRef.sampledIn(other), String.valueOf(other));
    }
  }
}
