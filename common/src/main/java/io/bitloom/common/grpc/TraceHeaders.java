package io.bitloom.common.grpc;

import io.bitloom.common.trace.SpanRef;
import io.grpc.Metadata;
import java.util.Optional;

/** Traces in the headers of calls. */
public final class TraceHeaders {

  /** The span in which a call is made: https://www.w3.org/TR/trace-context. */
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  /** Says of a call that appends prompts that their traces begin with the caller's span. */
  private static final Metadata.Key<String> SUBMITS =
      Metadata.Key.of("bitloom-submit-spans", Metadata.ASCII_STRING_MARSHALLER);

  private TraceHeaders() {}

  /** The span in which a call is made; empty if there is none that is recorded. */
  public static Optional<SpanRef> span(Metadata headers) {
    return SpanRef.sampledIn(headers.get(TRACEPARENT));
  }

  public static boolean submits(Metadata headers) {
    return headers.containsKey(SUBMITS);
  }

  /** Says in which span a call is made. */
  public static void putSpan(Metadata headers, SpanRef span) {
    headers.discardAll(TRACEPARENT);
    headers.put(TRACEPARENT, span.traceparent());
  }

  /** Says that the traces of prompts begin with the caller's spans. */
  public static void putSubmits(Metadata headers) {
    headers.put(SUBMITS, "1");
  }
}
