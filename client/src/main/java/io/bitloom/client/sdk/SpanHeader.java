package io.bitloom.client.sdk;

import io.bitloom.common.grpc.TraceHeaders;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;

/** Says of every call in which span of the program it is made. */
final class SpanHeader implements ClientInterceptor {

  private final SubmitTraces traces;

  SpanHeader(SubmitTraces traces) {
    this.traces = traces;
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        traces.current().ifPresent(span -> TraceHeaders.putSpan(headers, span));
        super.start(listener, headers);
      }
    };
  }
}
