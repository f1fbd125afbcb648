package io.bitloom.common.trace;

import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where spans go. May be used from any thread; never waits and never fails. */
public interface Tracing extends AutoCloseable {

  /** Spans go nowhere, and no prompt has a trace. */
  Tracing OFF =
      new Tracing() {
        @Override
        public boolean on() {
          return false;
        }

        @Override
        public TraceSampling sampling() {
          return TraceSampling.NONE;
        }

        @Override
        public void record(TraceSpan span) {}

        @Override
        public SpanCounts counts() {
          return SpanCounts.NONE;
        }

        @Override
        public void close() {}
      };

  /** Whether spans go anywhere. */
  boolean on();

  /** Which prompts have a trace, as this process is set. */
  TraceSampling sampling();

  /** Takes a span, or drops it where too many wait. */
  void record(TraceSpan span);

  /** What became of spans so far. */
  SpanCounts counts();

  /** Sends what waits, for two seconds at most. */
  @Override
  void close();

  /**
   * What became of spans.
   *
   * @param recorded all
   * @param exported which the receiver took
   * @param lost of which it is known that the receiver did not take them; others wait, or were
   *     dropped because too many did
   */
  record SpanCounts(long recorded, long exported, long lost) {

    static final SpanCounts NONE = new SpanCounts(0, 0, 0);
  }

  /** As the process's environment says: {@link #of}. */
  static Tracing ofEnvironment(String service) {
    return of(service, System.getenv());
  }

  /**
   * As OpenTelemetry's environment variables say. Without {@code OTEL_TRACES_EXPORTER} and without
   * an OTLP endpoint it is off. A setting that is wrong leaves it off and is said in the log:
   * traces are not worth a program that does not start.
   *
   * @param service what {@code OTEL_SERVICE_NAME} is by default
   */
  static Tracing of(String service, Map<String, String> environment) {
    if (!isAskedFor(environment)) {
      return OFF;
    }
    try {
      return OtlpTracing.open(service, environment);
    } catch (RuntimeException e) {
      Logger log = LoggerFactory.getLogger(Tracing.class);
      log.warn("There will be no traces: {}", e.getMessage());
      return OFF;
    }
  }

  private static boolean isAskedFor(Map<String, String> environment) {
    String exporter = environment.getOrDefault("OTEL_TRACES_EXPORTER", "").strip();
    boolean endpoint =
        !environment.getOrDefault("OTEL_EXPORTER_OTLP_ENDPOINT", "").isBlank()
            || !environment.getOrDefault("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").isBlank();
    boolean disabled = "true".equalsIgnoreCase(environment.getOrDefault("OTEL_SDK_DISABLED", ""));
    return !disabled && (exporter.isEmpty() ? endpoint : !exporter.equals("none"));
  }
}
