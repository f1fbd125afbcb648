package io.bitloom.worker.session;

import com.google.protobuf.util.Durations;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Welcome;
import io.github.resilience4j.core.IntervalFunction;
import io.grpc.Status;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a connection to one of the coordinators: connects, greets, sends heartbeats, and after a
 * failure goes on to the next address, with waits that double up to a limit and are spread at
 * random. It begins with any of them, so that workers spread. Confined to the session's thread.
 */
final class CoordinatorLink {
  private static final Logger log = LoggerFactory.getLogger(CoordinatorLink.class);

  /** The form of the messages, in which prompts are named by their places in the lease. */
  static final int FORM = 2;

  /** What a coordinator will not change its mind about. */
  private static final Set<Status.Code> REFUSALS =
      EnumSet.of(
          Status.Code.INVALID_ARGUMENT,
          Status.Code.UNAUTHENTICATED,
          Status.Code.PERMISSION_DENIED,
          Status.Code.FAILED_PRECONDITION,
          Status.Code.UNIMPLEMENTED);

  private static final long SHORTEST_HEARTBEAT_MILLIS = 50;
  private static final Duration FAREWELL = Duration.ofSeconds(2);

  /** Whom the link speaks for. */
  interface Listener {
    /** The greeting for a new connection. */
    Hello hello();

    /** What the next heartbeat renews. */
    List<HeldLease> heldLeases();

    /** The connection stands; messages can be sent. */
    void welcomed(Welcome welcome, String address);

    void received(ConnectResponse message);

    /** The transport takes more. */
    void ready();

    /**
     * The connection is gone.
     *
     * @return whether the link shall connect again
     */
    boolean disconnected();

    /** Nobody has welcomed the worker yet, and this coordinator will not, however long it takes. */
    void refused(Status status);
  }

  private final SessionConfig config;
  private final ScheduledExecutorService loop;
  private final Listener listener;
  private final IntervalFunction backoff;

  private CoordinatorConnection connection; // null while there is none
  private boolean welcomed; // by the current connection
  private boolean everWelcomed;
  private boolean stopped;
  private int failures; // since the last welcome
  private int nextAddress;
  private Future<?> welcomeTimeout;
  private Future<?> heartbeats;

  CoordinatorLink(SessionConfig config, ScheduledExecutorService loop, Listener listener) {
    this.config = config;
    this.loop = loop;
    this.listener = listener;
    this.backoff =
        IntervalFunction.ofExponentialRandomBackoff(
            config.firstRetry(), 2, 0.5, config.longestRetry());
    this.nextAddress = ThreadLocalRandom.current().nextInt(config.coordinators().size());
  }

  /** Connects, or tries to. */
  void connect() {
    if (stopped) {
      return;
    }
    ServerAddress address = config.coordinators().get(nextAddress % config.coordinators().size());
    CoordinatorConnection opened;
    try {
      opened = CoordinatorConnection.open(address, config.access(), loop, new Events());
    } catch (RuntimeException e) {
      // The thread would swallow it, and the worker would sit there without a word.
      retry(address, Status.fromThrowable(e).withDescription(e.toString()));
      return;
    }
    connection = opened;
    opened.send(ConnectRequest.newBuilder().setHello(listener.hello()).build());
    welcomeTimeout =
        after(config.welcomeTimeout(), () -> opened.abort("no welcome within the time limit"));
  }

  /** Whether there is a connection, or an attempt at one. */
  boolean isOpen() {
    return connection != null;
  }

  /** Whether the coordinator has answered, so that messages can be sent. */
  boolean isUp() {
    return welcomed;
  }

  /** Whether the transport would send a message at once. */
  boolean isReady() {
    return welcomed && connection.isReady();
  }

  /** Sends a message if the link is up, and drops it otherwise. */
  void send(ConnectRequest message) {
    if (welcomed) {
      connection.send(message);
    }
  }

  /** Ends the connection after everything that was sent has arrived. */
  void finish() {
    CoordinatorConnection left = connection;
    left.finish();
    after(FAREWELL, () -> left.abort("the coordinator does not end the stream"));
  }

  /** Ends the connection now and makes no other. */
  void stop() {
    stopped = true;
    if (connection != null) {
      connection.abort("the worker stops");
    }
  }

  private final class Events implements CoordinatorConnection.Listener {
    @Override
    public void received(ConnectResponse message) {
      if (message.hasWelcome()) {
        welcomed(message.getWelcome());
      } else {
        listener.received(message);
      }
    }

    @Override
    public void ready() {
      listener.ready();
    }

    @Override
    public void closed(Status status) {
      lost(status);
    }
  }

  private void welcomed(Welcome welcome) {
    if (welcome.getForm() != FORM) {
      connection.abort(olderCoordinator(welcome));
      return;
    }
    welcomeTimeout.cancel(false);
    welcomed = true;
    everWelcomed = true;
    failures = 0;
    long interval =
        Math.max(SHORTEST_HEARTBEAT_MILLIS, Durations.toMillis(welcome.getHeartbeatInterval()));
    heartbeats =
        loop.scheduleAtFixedRate(this::sendHeartbeat, interval, interval, TimeUnit.MILLISECONDS);
    listener.welcomed(welcome, connection.address().toString());
  }

  private Status olderCoordinator(Welcome welcome) {
    return Status.FAILED_PRECONDITION.withDescription(
        "coordinator "
            + welcome.getCoordinatorId()
            + " at "
            + connection.address()
            + " is older than this worker: it speaks form "
            + Math.max(1, welcome.getForm())
            + " of the worker protocol, the worker form "
            + FORM
            + " only; update coordinators first");
  }

  private void sendHeartbeat() {
    Heartbeat beat = Heartbeat.newBuilder().addAllLeases(listener.heldLeases()).build();
    send(ConnectRequest.newBuilder().setHeartbeat(beat).build());
  }

  private void lost(Status status) {
    welcomeTimeout.cancel(false);
    if (heartbeats != null) {
      heartbeats.cancel(false);
    }
    ServerAddress address = connection.address();
    connection = null;
    welcomed = false;
    if (!everWelcomed && REFUSALS.contains(status.getCode())) {
      listener.refused(status);
      return;
    }
    if (!listener.disconnected()) {
      return;
    }
    retry(address, status);
  }

  private void retry(ServerAddress address, Status status) {
    nextAddress++;
    failures++;
    Duration wait = Duration.ofMillis(backoff.apply(Math.min(failures, 16)));
    if (!status.isOk() && Integer.bitCount(failures) == 1) { // ever more rarely
      log.warn(
          "{} at {} ({}), trying again in {} ms and so on",
          status.getCode() == Status.Code.ALREADY_EXISTS
              ? "not wanted now by the coordinator"
              : "no coordinator",
          address,
          FailuresInARow.why(status),
          wait.toMillis());
    }
    after(wait, this::connect);
  }

  private Future<?> after(Duration wait, Runnable task) {
    return loop.schedule(task, wait.toMillis(), TimeUnit.MILLISECONDS);
  }
}
