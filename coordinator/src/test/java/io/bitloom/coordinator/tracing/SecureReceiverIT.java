package io.bitloom.coordinator.tracing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.SelfSigned;
import io.bitloom.coordinator.tracing.SpanReceiver.Received;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spans to a receiver that is reached by TLS. */
class SecureReceiverIT {

  @TempDir private Path folder;

  @Test
  void spansGoToAReceiverWhoseCertificateIsTrustedWithCompressionAndHeaders() throws Exception {
    SelfSigned identity = SelfSigned.create(folder, "receiver");
    try (SpanReceiver receiver = SpanReceiver.start(identity)) {
      Map<String, String> environment = new HashMap<>(receiver.environment("1"));
      environment.put("OTEL_EXPORTER_OTLP_CERTIFICATE", identity.certificate().toString());
      environment.put("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
      environment.put("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc");
      SpanRef self = PromptTrace.ofJob("a").at(0).span("secure");
      try (Tracing tracing = Tracing.of("test", environment)) {
        tracing.record(TraceSpan.of(self, "secure", TraceSpan.Kind.CLIENT).between(1, 2));
      }
      List<Received> spans = receiver.await(all -> !all.isEmpty());
      assertEquals(self.spanId(), spans.get(0).id());
      assertEquals("test", spans.get(0).service());
      assertEquals("Bearer abc", receiver.authorization());
    }
  }
}
