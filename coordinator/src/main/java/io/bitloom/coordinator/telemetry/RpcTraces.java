package io.bitloom.coordinator.telemetry;

import io.bitloom.common.grpc.TraceHeaders;
import io.bitloom.common.trace.SpanAttributes;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.common.trace.TraceSpan;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/**
 * Reads from calls what their callers say of traces, and writes the server's span of a call into
 * the trace of a caller who records it. It is there only while tracing is on.
 */
public final class RpcTraces implements ServerInterceptor {

  private static final Context.Key<CallersTrace> CALLER = Context.key("bitloom-callers-trace");

  private final Tracing tracing;

  public RpcTraces(Tracing tracing) {
    this.tracing = tracing;
  }

  /** What the caller says of the call that this thread begins to serve. */
  public static CallersTrace caller() {
    CallersTrace caller = CALLER.get();
    return caller == null ? CallersTrace.NONE : caller;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    CallersTrace caller =
        new CallersTrace(TraceHeaders.span(headers), TraceHeaders.submits(headers));
    return Contexts.interceptCall(
        Context.current().withValue(CALLER, caller),
        caller.span().map(span -> traced(call, span)).orElse(call),
        headers,
        next);
  }

  private <Q, A> ServerCall<Q, A> traced(ServerCall<Q, A> call, SpanRef caller) {
    long since = TraceClock.now();
    return new SimpleForwardingServerCall<>(call) {
      @Override
      public void close(Status status, Metadata trailers) {
        tracing.record(
            span(call.getMethodDescriptor().getFullMethodName(), caller, status)
                .between(since, TraceClock.now()));
        super.close(status, trailers);
      }
    };
  }

  private static TraceSpan.Builder span(String method, SpanRef caller, Status status) {
    return TraceSpan.of(SpanRef.inTraceOf(caller), method, TraceSpan.Kind.SERVER)
        .parent(caller)
        .with(SpanAttributes.RPC_SYSTEM, "grpc")
        .with(SpanAttributes.RPC_METHOD, method)
        .with(SpanAttributes.RPC_STATUS, status.getCode().name())
        .error(isServersFault(status.getCode()) ? status.getCode().name() : "");
  }

  /** As the conventions for gRPC have it: what is the caller's fault is no error of a server. */
  private static boolean isServersFault(Status.Code code) {
    return switch (code) {
      case UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS -> true;
      default -> false;
    };
  }
}
