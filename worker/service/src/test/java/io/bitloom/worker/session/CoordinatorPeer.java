package io.bitloom.worker.session;

import com.google.protobuf.util.Durations;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectRequest.MessageCase;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.Welcome;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The other side of the worker protocol on a real socket, for tests of the worker: takes
 * connections and does what the test says, message by message.
 */
final class CoordinatorPeer implements AutoCloseable {
  static final int PATIENCE_SECONDS = 180;

  private final Server server;
  private final BlockingQueue<Session> sessions = new LinkedBlockingQueue<>();

  private CoordinatorPeer(int port) throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .maxInboundMessageSize(64 << 20)
            .addService(new Service())
            .build()
            .start();
  }

  /** Listens on a free port of the loopback interface. */
  static CoordinatorPeer start() throws IOException {
    return new CoordinatorPeer(0);
  }

  /** Listens on the port of a peer that is gone. */
  static CoordinatorPeer start(int port) throws IOException {
    return new CoordinatorPeer(port);
  }

  int port() {
    return server.getPort();
  }

  String address() {
    return "127.0.0.1:" + port();
  }

  /** Waits for the next connection of a worker. */
  Session nextSession() throws InterruptedException {
    Session session = sessions.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (session == null) {
      throw new AssertionError("no worker has connected");
    }
    return session;
  }

  /** Gone without a word to anybody, as after a crash. */
  @Override
  public void close() throws InterruptedException {
    server.shutdownNow();
    server.awaitTermination();
  }

  private final class Service extends WorkerServiceGrpc.WorkerServiceImplBase {
    @Override
    public StreamObserver<ConnectRequest> connect(StreamObserver<ConnectResponse> responses) {
      Session session = new Session(responses);
      sessions.add(session);
      return session;
    }
  }

  /**
   * What one prompt came to.
   *
   * @param said what the worker said besides, without outcomes
   */
  record Reported(LeaseOutcomes said, PromptOutcome outcome) {
    String leaseId() {
      return said.getLeaseId();
    }

    int index() {
      return outcome.getIndex();
    }
  }

  /** One stream of one worker. */
  static final class Session implements StreamObserver<ConnectRequest> {
    private final StreamObserver<ConnectResponse> responses;
    private final Map<MessageCase, BlockingQueue<ConnectRequest>> received =
        new ConcurrentHashMap<>();
    private final BlockingQueue<Reported> outcomes = new LinkedBlockingQueue<>();
    private final CountDownLatch ended = new CountDownLatch(1);

    private Session(StreamObserver<ConnectResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(ConnectRequest message) {
      all(message.getMessageCase()).add(message);
      LeaseOutcomes together = message.getLeaseOutcomes();
      LeaseOutcomes said = together.toBuilder().clearOutcomes().build();
      together.getOutcomesList().forEach(outcome -> outcomes.add(new Reported(said, outcome)));
    }

    @Override
    public void onError(Throwable failure) {
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      ended.countDown();
      responses.onCompleted();
    }

    /** All messages of a kind that have come and were not taken by {@link #next}. */
    BlockingQueue<ConnectRequest> all(MessageCase kind) {
      return received.computeIfAbsent(kind, any -> new LinkedBlockingQueue<>());
    }

    /** Waits for the next message of a kind. */
    ConnectRequest next(MessageCase kind) throws InterruptedException {
      ConnectRequest message = all(kind).poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (message == null) {
        throw new AssertionError("no " + kind + " came");
      }
      return message;
    }

    /** The worker's greeting, answered with heartbeats every 100 ms. */
    Hello welcome(String... lostLeases) throws InterruptedException {
      return welcome(2, lostLeases);
    }

    /** Likewise, in another form of the protocol. */
    Hello welcome(int form, String... lostLeases) throws InterruptedException {
      Hello hello = next(MessageCase.HELLO).getHello();
      Welcome.Builder welcome =
          Welcome.newBuilder()
              .setCoordinatorId("peer")
              .setForm(form)
              .setHeartbeatInterval(Durations.fromMillis(100))
              .setLeaseDuration(Durations.fromSeconds(10));
      for (String lease : lostLeases) {
        welcome.addLostLeases(lease);
      }
      send(ConnectResponse.newBuilder().setWelcome(welcome).build());
      return hello;
    }

    /** Waits for an outcome, by itself or with others. */
    Reported nextOutcome() throws InterruptedException {
      Reported outcome = outcomes.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (outcome == null) {
        throw new AssertionError("no outcome came");
      }
      return outcome;
    }

    /** The leases that the next heartbeat renews. */
    Set<String> renewed() throws InterruptedException {
      return next(MessageCase.HEARTBEAT).getHeartbeat().getLeasesList().stream()
          .map(HeldLease::getLeaseId)
          .collect(Collectors.toSet());
    }

    /** Waits for a heartbeat that renews exactly these leases. */
    void awaitRenewed(String... leases) throws InterruptedException {
      Set<String> renewed = renewed();
      while (!renewed.equals(Set.of(leases))) {
        renewed = renewed();
      }
    }

    /** Answers the oldest open request. */
    void lease(Lease lease) throws InterruptedException {
      long request = next(MessageCase.WORK_REQUEST).getWorkRequest().getRequestNumber();
      send(
          ConnectResponse.newBuilder()
              .setLease(lease.toBuilder().setRequestNumber(request))
              .build());
    }

    void acknowledge(Reported outcome) {
      acknowledge(outcome.leaseId(), outcome.index(), 1);
    }

    /** Acknowledges neighbours in a lease. */
    void acknowledge(String leaseId, int first, int count) {
      LeaseVerdicts.Builder verdicts =
          LeaseVerdicts.newBuilder()
              .setLeaseId(leaseId)
              .addCommitted(IndexRange.newBuilder().setFirst(first).setCount(count));
      send(ConnectResponse.newBuilder().setLeaseVerdicts(verdicts).build());
    }

    void send(ConnectResponse message) {
      responses.onNext(message);
    }

    void refuse(Status status) {
      responses.onError(status.asRuntimeException());
    }

    /** Waits until the worker has ended the stream, or has gone. */
    void awaitEnd() throws InterruptedException {
      if (!ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("the worker did not end its stream");
      }
    }
  }
}
