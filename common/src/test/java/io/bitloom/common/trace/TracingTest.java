package io.bitloom.common.trace;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TracingTest {

  /** Nobody listens there. */
  private static final String NOWHERE = "http://127.0.0.1:1";

  private static Tracing of(String... namesAndValues) {
    Map<String, String> environment = new HashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      environment.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return Tracing.of("test", environment);
  }

  @Test
  void isOffUnlessAReceiverOrTheExporterIsNamed() {
    assertSame(Tracing.OFF, of());
    assertSame(Tracing.OFF, of("OTEL_TRACES_SAMPLER", "always_on"));
    assertSame(Tracing.OFF, of("OTEL_EXPORTER_OTLP_ENDPOINT", " "));
    assertSame(
        Tracing.OFF, of("OTEL_TRACES_EXPORTER", "none", "OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE));
    assertSame(
        Tracing.OFF, of("OTEL_SDK_DISABLED", "true", "OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE));
    for (String name :
        new String[] {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}) {
      try (Tracing tracing = of(name, NOWHERE)) {
        assertTrue(tracing.on());
      }
    }
    try (Tracing tracing = of("OTEL_TRACES_EXPORTER", "otlp")) {
      assertTrue(tracing.on());
    }
  }

  @Test
  void aSettingThatIsWrongLeavesItOff() {
    assertSame(Tracing.OFF, of("OTEL_TRACES_EXPORTER", "zipkin"));
    assertSame(Tracing.OFF, of("OTEL_EXPORTER_OTLP_ENDPOINT", "no address"));
    assertSame(
        Tracing.OFF,
        of("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE, "OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"));
    for (String[] sampler :
        new String[][] {
          {"jaeger_remote", "1"},
          {"traceidratio", "1.1"},
          {"traceidratio", "-0.1"},
          {"traceidratio", "NaN"},
          {"traceidratio", "some"}
        }) {
      Tracing tracing =
          of(
              "OTEL_EXPORTER_OTLP_ENDPOINT",
              NOWHERE,
              "OTEL_TRACES_SAMPLER",
              sampler[0],
              "OTEL_TRACES_SAMPLER_ARG",
              sampler[1]);
      assertSame(Tracing.OFF, tracing, () -> String.join(" ", sampler));
    }
  }

  @Test
  void takesOneInAThousandUnlessASamplerIsNamed() {
    assertEquals(0.001, ratio());
    assertEquals(0.25, ratio("OTEL_TRACES_SAMPLER_ARG", "0.25"));
    assertEquals(
        0.25, ratio("OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.25"));
    assertEquals(1, ratio("OTEL_TRACES_SAMPLER", "traceidratio"));
    assertEquals(1, ratio("OTEL_TRACES_SAMPLER", "parentbased_always_on"));
    assertEquals(0, ratio("OTEL_TRACES_SAMPLER", "always_off"));
  }

  private static double ratio(String... more) {
    Map<String, String> environment = new HashMap<>();
    environment.put("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE);
    for (int i = 0; i < more.length; i += 2) {
      environment.put(more[i], more[i + 1]);
    }
    try (Tracing tracing = Tracing.of("test", environment)) {
      assertTrue(tracing.on());
      return tracing.sampling().ratio();
    }
  }

  @Test
  void spansGoOverHttpWhereThatIsAskedFor() throws Exception {
    BlockingQueue<String> received = new LinkedBlockingQueue<>();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/traces",
        exchange -> {
          received.add(new String(exchange.getRequestBody().readAllBytes(), ISO_8859_1));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    server.start();
    String endpoint = "http://127.0.0.1:" + server.getAddress().getPort();
    try (Tracing tracing =
        of(
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            endpoint)) {
      SpanRef self = PromptTrace.ofJob("a").at(0).span("over-http");
      tracing.record(TraceSpan.of(self, "over-http", TraceSpan.Kind.CLIENT).between(1, 2));
    }
    String spans = received.poll(1, TimeUnit.MINUTES);
    assertTrue(spans.contains("over-http"));
    server.stop(0);
  }

  @Test
  void aReceiverThatIsAwayHoldsNobodyUpAndIsCounted() {
    Tracing tracing =
        of(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            NOWHERE,
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "200",
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "512");
    PromptTrace.OfJob job = PromptTrace.ofJob("a");
    for (long i = 0; i < 5_000; i++) {
      tracing.record(TraceSpan.of(job.at(i).span("x"), "x", TraceSpan.Kind.CLIENT).between(1, 2));
    }
    tracing.close();
    assertEquals(5_000, tracing.counts().recorded());
    assertEquals(0, tracing.counts().exported());
    assertFalse(tracing.counts().lost() == 0);
  }
}
