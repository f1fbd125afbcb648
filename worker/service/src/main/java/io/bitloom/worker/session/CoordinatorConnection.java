package io.bitloom.worker.session;

import io.bitloom.common.net.ServerAddress;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * One channel with one stream to one coordinator; a reconnect takes a new one. All methods are
 * called on the session's thread, and the listener is called on it too.
 */
final class CoordinatorConnection {
  private static final int MAX_MESSAGE_BYTES = 64 << 20;

  /** What the transport keeps before it is busy: all previews of a batch after a scale fit in. */
  private static final int BUFFERED_BYTES = 4 << 20;

  /** A name may have the addresses of several coordinators; workers spread over them. */
  private static final Map<String, ?> ANY_ADDRESS =
      Map.of(
          "loadBalancingConfig", List.of(Map.of("pick_first", Map.of("shuffleAddressList", true))));

  private static final int KEEP_ALIVE_SECONDS = 10;
  private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;

  /** What happens to a connection. */
  interface Listener {
    void received(ConnectResponse message);

    /** The transport takes more. */
    void ready();

    /** The last call: with OK if the coordinator ended the stream. */
    void closed(Status status);
  }

  private final ServerAddress address;
  private final ManagedChannel channel;
  private ClientCallStreamObserver<ConnectRequest> requests;
  private boolean closedForSending;
  private Status aborted; // null unless this side ended the connection

  private CoordinatorConnection(ServerAddress address, CoordinatorAccess access, Executor session) {
    this.address = address;
    this.channel =
        Grpc.newChannelBuilder(address.target(), access.credentials())
            .intercept(MetadataUtils.newAttachHeadersInterceptor(access.headers()))
            .executor(session)
            .defaultServiceConfig(ANY_ADDRESS)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .build();
  }

  /**
   * Opens the stream; whether that worked shows in the listener's calls.
   *
   * @param session runs the listener's calls
   */
  static CoordinatorConnection open(
      ServerAddress address, CoordinatorAccess access, Executor session, Listener listener) {
    CoordinatorConnection connection = new CoordinatorConnection(address, access, session);
    WorkerServiceGrpc.newStub(connection.channel)
        .withOnReadyThreshold(BUFFERED_BYTES)
        .connect(connection.new Responses(listener));
    return connection;
  }

  ServerAddress address() {
    return address;
  }

  /** Whether a message would be sent at once; control messages need not ask. */
  boolean isReady() {
    return !closedForSending && requests.isReady();
  }

  /** Sends a message, or drops it if this side has ended the stream. */
  void send(ConnectRequest message) {
    if (!closedForSending) {
      requests.onNext(message);
    }
  }

  /** Says that nothing more will be sent; the coordinator then ends the stream. */
  void finish() {
    if (!closedForSending) {
      closedForSending = true;
      requests.onCompleted();
    }
  }

  /** Ends the connection now. */
  void abort(String reason) {
    abort(Status.CANCELLED.withDescription(reason));
  }

  /**
   * Ends the connection now.
   *
   * @param reason what the listener is told
   */
  void abort(Status reason) {
    closedForSending = true;
    aborted = reason;
    requests.cancel(reason.getDescription(), null);
    channel.shutdownNow();
  }

  private final class Responses implements ClientResponseObserver<ConnectRequest, ConnectResponse> {
    private final Listener listener;

    Responses(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<ConnectRequest> stream) {
      requests = stream;
      stream.setOnReadyHandler(listener::ready);
    }

    @Override
    public void onNext(ConnectResponse message) {
      listener.received(message);
    }

    @Override
    public void onError(Throwable failure) {
      closed(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      closed(Status.OK);
    }

    private void closed(Status status) {
      channel.shutdownNow();
      listener.closed(aborted == null ? status : aborted);
    }
  }
}
