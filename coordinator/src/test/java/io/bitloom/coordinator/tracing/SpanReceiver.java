package io.bitloom.coordinator.tracing;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.SelfSigned;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.grpc.Authentication;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.TlsServerCredentials;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Takes spans over OTLP/gRPC, as a collector does. */
public final class SpanReceiver implements AutoCloseable {

  /**
   * A span as it came.
   *
   * @param service who wrote it
   * @param parent empty for the first one of a trace
   * @param links ids of traces and spans
   */
  public record Received(
      String service,
      String trace,
      String id,
      String parent,
      String name,
      long start,
      long end,
      Map<String, String> attributes,
      List<String> links,
      boolean failed) {

    static Received of(Resource resource, Span span) {
      return new Received(
          attributes(resource.getAttributesList()).get("service.name"),
          hex(span.getTraceId()),
          hex(span.getSpanId()),
          hex(span.getParentSpanId()),
          span.getName(),
          span.getStartTimeUnixNano(),
          span.getEndTimeUnixNano(),
          attributes(span.getAttributesList()),
          span.getLinksList().stream()
              .map(link -> hex(link.getTraceId()) + "/" + hex(link.getSpanId()))
              .toList(),
          span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR);
    }

    private static Map<String, String> attributes(List<KeyValue> attributes) {
      return attributes.stream()
          .collect(Collectors.toMap(KeyValue::getKey, one -> text(one.getValue())));
    }

    private static String text(AnyValue value) {
      return value.hasIntValue() ? Long.toString(value.getIntValue()) : value.getStringValue();
    }

    private static String hex(ByteString id) {
      return HexFormat.of().formatHex(id.toByteArray());
    }

    /** How a link to this span names it. */
    public String named() {
      return trace + "/" + id;
    }
  }

  private final List<Received> spans = new ArrayList<>(); // guarded by this
  private final Server server;

  private final String scheme;
  private volatile String authorization; // of the last call

  private SpanReceiver(String scheme, ServerCredentials credentials) throws IOException {
    this.scheme = scheme;
    this.server =
        Grpc.newServerBuilderForPort(0, credentials)
            .addService(new Service())
            .intercept(new Listener())
            .build()
            .start();
  }

  public static SpanReceiver start() throws IOException {
    return new SpanReceiver("http", InsecureServerCredentials.create());
  }

  /** One that is reached by TLS. */
  public static SpanReceiver start(SelfSigned identity) throws IOException {
    return new SpanReceiver(
        "https",
        TlsServerCredentials.create(identity.certificate().toFile(), identity.key().toFile()));
  }

  private final class Listener implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      authorization = headers.get(Authentication.AUTHORIZATION);
      return next.startCall(call, headers);
    }
  }

  /** Header of the last call; null if it had none. */
  public String authorization() {
    return authorization;
  }

  private final class Service extends TraceServiceGrpc.TraceServiceImplBase {
    @Override
    public void export(
        ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> caller) {
      take(request);
      caller.onNext(ExportTraceServiceResponse.getDefaultInstance());
      caller.onCompleted();
    }
  }

  private synchronized void take(ExportTraceServiceRequest request) {
    for (ResourceSpans ofResource : request.getResourceSpansList()) {
      for (ScopeSpans ofScope : ofResource.getScopeSpansList()) {
        ofScope.getSpansList().stream()
            .map(span -> Received.of(ofResource.getResource(), span))
            .forEach(spans::add);
      }
    }
    notifyAll();
  }

  /** What a program is set by to send its spans here, soon. */
  public Map<String, String> environment(String ratio) {
    return Map.of(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        scheme + "://127.0.0.1:" + server.getPort(),
        "OTEL_TRACES_SAMPLER",
        "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG",
        ratio,
        "OTEL_BSP_SCHEDULE_DELAY",
        "50");
  }

  /** All spans that have come. */
  public synchronized List<Received> spans() {
    return List.copyOf(spans);
  }

  /** Waits for spans. */
  public synchronized List<Received> await(Predicate<List<Received>> complete)
      throws InterruptedException {
    long end = System.nanoTime() + TestCoordinator.PATIENCE.toNanos();
    while (!complete.test(List.copyOf(spans))) {
      long millis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (millis <= 0) {
        throw new AssertionError("only these spans came: " + spans);
      }
      wait(millis);
    }
    return List.copyOf(spans);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
