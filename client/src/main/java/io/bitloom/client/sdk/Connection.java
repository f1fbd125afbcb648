package io.bitloom.client.sdk;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusException;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The channel to a coordinator, and how long an outage of it is borne. */
final class Connection {

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /** How gRPC's transport begins its complaint about another protocol. */
  private static final String NO_HTTP2 = "http2 exception";

  private static final int MAX_MESSAGE_BYTES = 64 << 20;
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(20);

  private final ServerAddress coordinator;
  private final ManagedChannel channel;
  private final BatchServiceBlockingV2Stub stub;
  private final Duration firstContact;
  private final Duration patience;
  private volatile boolean answered;
  private volatile BitloomException outage; // null while there is none

  /**
   * @param token says who calls; empty: nobody in particular
   * @param firstContact patience until the coordinator answered for the first time
   * @param patience patience after that
   * @param traces what calls say of the spans in which they are made
   */
  Connection(
      ServerAddress coordinator,
      ChannelCredentials credentials,
      String token,
      Duration firstContact,
      Duration patience,
      SubmitTraces traces) {
    this.coordinator = coordinator;
    channel =
        Grpc.newChannelBuilder(coordinator.target(), credentials)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .keepAliveTime(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
            .build();
    Channel calls =
        traces.on() ? ClientInterceptors.intercept(channel, new SpanHeader(traces)) : channel;
    stub = BatchServiceGrpc.newBlockingV2Stub(ClientInterceptors.intercept(calls, saying(token)));
    this.firstContact = firstContact;
    this.patience = patience;
  }

  private static ClientInterceptor saying(String token) {
    Metadata headers = new Metadata();
    if (!token.isEmpty()) {
      headers.put(AUTHORIZATION, "Bearer " + token);
    }
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  BatchServiceBlockingV2Stub stub() {
    return stub;
  }

  /** A call that is not a stream. All of them are idempotent. */
  interface Call<T> {
    T on(BatchServiceBlockingV2Stub stub) throws StatusException;
  }

  /**
   * Makes a call until it is answered.
   *
   * @param deadline of each attempt
   * @throws BitloomException if it failed for good, or patience is at its end
   */
  <T> T call(Duration deadline, Call<T> call) {
    Backoff backoff = new Backoff(this);
    while (true) {
      try {
        T response = call.on(stubWithDeadline(deadline));
        backoff.succeeded();
        return response;
      } catch (StatusException e) {
        backoff.waitAfter(e);
      }
    }
  }

  BatchServiceBlockingV2Stub stubWithDeadline(Duration deadline) {
    return stub.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Longest time to go on trying without a success. */
  Duration patience() {
    return answered ? patience : firstContact;
  }

  void answered() {
    answered = true;
    outage = null;
  }

  boolean hasAnswered() {
    return answered;
  }

  /** A call failed and is made again. */
  void waits(Throwable failure) {
    outage = failure(failure);
  }

  /** Why the last attempt failed, if another one follows. */
  Optional<BitloomException> outage() {
    return Optional.ofNullable(outage);
  }

  /** Lets the next call connect at once; otherwise it fails during the channel's own pauses. */
  void reconnect() {
    channel.resetConnectBackoff();
  }

  /** The error of a call that failed for good. */
  BitloomException failure(Throwable status) {
    BitloomException failure = GrpcErrors.fromStatus(status);
    if (String.valueOf(failure.getMessage()).startsWith(NO_HTTP2)) {
      return new BitloomException(
          ErrorCode.PROTOCOL_VIOLATION,
          "what listens at "
              + coordinator
              + " does not speak gRPC; a coordinator does so on its gRPC port, by default 7700"
              + " (7701 is that of its pages)",
          failure);
    }
    if (!BrokenCall.is(status, answered) || GrpcErrors.isFromBitloom(status)) {
      return failure;
    }
    String gone = answered ? "no coordinator answers any more at " : "no coordinator answers at ";
    return new BitloomException(ErrorCode.COORDINATOR_UNAVAILABLE, gone + coordinator, failure);
  }

  boolean isClosed() {
    return channel.isShutdown();
  }

  void close() {
    channel.shutdownNow();
  }
}
