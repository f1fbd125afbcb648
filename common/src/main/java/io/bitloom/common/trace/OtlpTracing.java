package io.bitloom.common.trace;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * Spans on their way over OTLP, in the SDK's bounded queue: while the receiver is slow or away, new
 * ones are dropped and nobody waits. The SDK is set by its standard variables; which prompts have a
 * trace is decided before a span comes here.
 */
final class OtlpTracing implements Tracing {

  /** A million prompts do not make a million traces, unless that is asked for. */
  private static final String DEFAULT_SAMPLER = "traceidratio";

  private static final String DEFAULT_RATIO = "0.001";
  private static final int LAST_WORDS_SECONDS = 2;

  private final SdkTracerProvider provider;
  private final Tracer tracer;
  private final GivenIds ids;
  private final CountedExporter exporter;
  private final TraceSampling sampling;
  private final LongAdder recorded = new LongAdder();

  private OtlpTracing(
      SdkTracerProvider provider, GivenIds ids, CountedExporter exporter, TraceSampling sampling) {
    this.provider = provider;
    this.tracer = provider.get("io.bitloom");
    this.ids = ids;
    this.exporter = exporter;
    this.sampling = sampling;
  }

  /**
   * @throws ConfigurationException naming the setting that is wrong
   */
  static OtlpTracing open(String service, Map<String, String> environment) {
    GivenIds ids = new GivenIds();
    AtomicReference<CountedExporter> exporter = new AtomicReference<>();
    AtomicReference<TraceSampling> sampling = new AtomicReference<>();
    AutoConfiguredOpenTelemetrySdk sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .disableShutdownHook()
            .addPropertiesCustomizer(asked -> properties(service, environment))
            .addSpanExporterCustomizer(
                (otlp, config) -> {
                  exporter.set(new CountedExporter(otlp));
                  return exporter.get();
                })
            .addSamplerCustomizer(
                (sampler, config) -> {
                  sampling.set(sampling(config));
                  return Sampler.alwaysOn();
                })
            .addTracerProviderCustomizer((builder, config) -> builder.setIdGenerator(ids))
            .build();
    return new OtlpTracing(
        sdk.getOpenTelemetrySdk().getSdkTracerProvider(),
        ids,
        Objects.requireNonNull(exporter.get()),
        Objects.requireNonNull(sampling.get()));
  }

  /** The environment as the SDK's properties, with our defaults. Metrics and logs go other ways. */
  private static Map<String, String> properties(String service, Map<String, String> environment) {
    Map<String, String> properties = new HashMap<>();
    properties.put("otel.service.name", service);
    properties.put("otel.traces.sampler", DEFAULT_SAMPLER);
    properties.put("otel.traces.sampler.arg", DEFAULT_RATIO);
    if (environment.containsKey("OTEL_TRACES_SAMPLER")) {
      properties.remove("otel.traces.sampler.arg");
    }
    environment.forEach(
        (name, value) -> {
          if (name.startsWith("OTEL_") && !value.isBlank()) {
            properties.put(name.toLowerCase(Locale.ROOT).replace('_', '.'), value);
          }
        });
    properties.put("otel.metrics.exporter", "none");
    properties.put("otel.logs.exporter", "none");
    String exporter = properties.getOrDefault("otel.traces.exporter", "otlp");
    if (!exporter.equals("otlp")) {
      throw new ConfigurationException(
          "OTEL_TRACES_EXPORTER is " + exporter + ", and only otlp and none are known");
    }
    boolean overHttp =
        properties
            .getOrDefault(
                "otel.exporter.otlp.traces.protocol",
                properties.getOrDefault("otel.exporter.otlp.protocol", "grpc"))
            .startsWith("http");
    if (!overHttp && properties.keySet().stream().anyMatch(name -> name.endsWith(".client.key"))) {
      throw new ConfigurationException(
          "OTEL_EXPORTER_OTLP_CLIENT_KEY is known with OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
              + " only");
    }
    return properties;
  }

  private static TraceSampling sampling(ConfigProperties config) {
    String name = config.getString("otel.traces.sampler", DEFAULT_SAMPLER);
    double ratio =
        switch (name) {
          case "always_on", "parentbased_always_on" -> 1;
          case "always_off", "parentbased_always_off" -> 0;
          case "traceidratio", "parentbased_traceidratio" ->
              config.getDouble("otel.traces.sampler.arg", 1);
          default ->
              throw new ConfigurationException(
                  "OTEL_TRACES_SAMPLER is " + name + ", which is not known here");
        };
    if (!(ratio >= 0 && ratio <= 1)) {
      throw new ConfigurationException(
          "OTEL_TRACES_SAMPLER_ARG is " + ratio + ", and must be between 0 and 1");
    }
    return TraceSampling.of(ratio);
  }

  @Override
  public boolean on() {
    return true;
  }

  @Override
  public TraceSampling sampling() {
    return sampling;
  }

  @Override
  public void record(TraceSpan span) {
    recorded.increment();
    SpanBuilder builder =
        tracer
            .spanBuilder(span.name())
            .setSpanKind(SpanKind.valueOf(span.kind().name()))
            .setStartTimestamp(span.start(), TimeUnit.NANOSECONDS);
    span.parent()
        .ifPresentOrElse(
            parent -> builder.setParent(Context.root().with(Span.wrap(context(parent)))),
            builder::setNoParent);
    span.links().forEach(link -> builder.addLink(context(link)));
    span.attributes().forEach((name, value) -> set(builder, name, value));
    Span begun = ids.use(span.self(), builder::startSpan);
    span.error()
        .ifPresent(
            code -> {
              begun.setAttribute(SpanAttributes.ERROR_TYPE, code);
              begun.setStatus(StatusCode.ERROR, code);
            });
    begun.end(span.end(), TimeUnit.NANOSECONDS);
  }

  private static void set(SpanBuilder builder, String name, Object value) {
    if (value instanceof Long number) {
      builder.setAttribute(AttributeKey.longKey(name), number);
    } else {
      builder.setAttribute(name, value.toString());
    }
  }

  private static SpanContext context(SpanRef span) {
    return SpanContext.createFromRemoteParent(
        span.traceId(), span.spanId(), TraceFlags.getSampled(), TraceState.getDefault());
  }

  @Override
  public SpanCounts counts() {
    return new SpanCounts(recorded.sum(), exporter.exported(), exporter.lost());
  }

  @Override
  public void close() {
    provider.shutdown().join(LAST_WORDS_SECONDS, TimeUnit.SECONDS);
  }
}
