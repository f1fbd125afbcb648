package io.bitloom.coordinator.telemetry;

import io.bitloom.common.trace.SpanRef;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Optional;

/** Counts and times calls by method and status. */
public final class RpcMetrics implements ServerInterceptor {

  private static final Duration[] BOUNDS = {
    Duration.ofMillis(5),
    Duration.ofMillis(25),
    Duration.ofMillis(100),
    Duration.ofMillis(500),
    Duration.ofSeconds(2),
    Duration.ofSeconds(10),
    Duration.ofMinutes(1)
  };

  private final MeterRegistry registry;

  public RpcMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    Timer.Sample sample = Timer.start(registry);
    Optional<SpanRef> caller = RpcTraces.caller().span();
    ServerCall<Q, A> timed =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            Timer timer = timer(call.getMethodDescriptor().getFullMethodName(), status);
            Exemplars.of(caller, () -> sample.stop(timer));
            super.close(status, trailers);
          }
        };
    return next.startCall(timed, headers);
  }

  private Timer timer(String method, Status status) {
    return Timer.builder("bitloom.rpc")
        .description("Calls that were answered; a stream counts when it ends")
        .serviceLevelObjectives(BOUNDS)
        .tags("method", method, "status", status.getCode().name())
        .register(registry);
  }
}
