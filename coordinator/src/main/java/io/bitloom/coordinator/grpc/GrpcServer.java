package io.bitloom.coordinator.grpc;

import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.coordinator.config.PortConfig;
import io.bitloom.externalscaler.ExternalScalerGrpc;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The gRPC port with health and reflection, and the same services for other doors of this process:
 * whoever comes by {@link #calls} passes the same checks.
 */
public final class GrpcServer implements AutoCloseable {

  /** Largest message in either direction: a prompt's 16 images at 4 MiB. */
  public static final int MAX_MESSAGE_BYTES = 64 << 20;

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(2);

  /** Streams that follow something for as long as it takes, and go on at another coordinator. */
  private static final Set<String> FOLLOWING =
      Set.of(
          BatchServiceGrpc.getWatchJobMethod().getFullMethodName(),
          BatchServiceGrpc.getReadResultsMethod().getFullMethodName(),
          ExternalScalerGrpc.getStreamIsActiveMethod().getFullMethodName());

  /**
   * Calls whose messages are only handed on. This is done in the thread that has read them, and so
   * all that was read together is handed on together.
   */
  private static final Set<String> HANDED_ON =
      Set.of(WorkerServiceGrpc.getConnectMethod().getFullMethodName());

  private static final int THREADS = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());

  private final HealthStatusManager health = new HealthStatusManager();
  private final OpenCalls calls = new OpenCalls();
  private final ExecutorService threads;
  private final EventLoopGroup acceptor =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoopGroup transport =
      new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
  private final Server server;
  private final Server inner;
  private final ManagedChannel channel;

  /**
   * Starts to listen; health says NOT_SERVING until {@link #setServing}.
   *
   * @param tenants who is let in
   * @param telemetry looks on, the last one first
   * @throws IOException if the address cannot be bound
   */
  public GrpcServer(
      PortConfig port,
      Tenants tenants,
      List<BindableService> services,
      List<ServerInterceptor> telemetry)
      throws IOException {
    setServing(false);
    AtomicInteger number = new AtomicInteger();
    threads =
        Executors.newFixedThreadPool(
            THREADS, task -> new Thread(task, "grpc-" + number.incrementAndGet()));
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(
                new InetSocketAddress(port.bind(), port.port()), credentials(port.tls()))
            .channelFactory(() -> new LimitedListener(port.connections().most()))
            .bossEventLoopGroup(acceptor)
            .workerEventLoopGroup(transport)
            .maxConcurrentCallsPerConnection(port.connections().calls())
            .maxConnectionIdle(port.connections().idleTimeout().toMillis(), TimeUnit.MILLISECONDS)
            .handshakeTimeout(port.connections().idleTimeout().toMillis(), TimeUnit.MILLISECONDS)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(5, TimeUnit.SECONDS);
    // Calls that run when a connection is old enough go on over it.
    port.connections()
        .age()
        .ifPresent(age -> builder.maxConnectionAge(age.toMillis(), TimeUnit.MILLISECONDS));
    builder
        .callExecutor(GrpcServer::executor)
        .addService(health.getHealthService())
        .addService(ProtoReflectionServiceV1.newInstance())
        .addService(olderReflection());
    server = serving(builder, tenants, services, telemetry);
    String name = InProcessServerBuilder.generateName();
    inner = serving(InProcessServerBuilder.forName(name), tenants, services, telemetry);
    channel = InProcessChannelBuilder.forName(name).executor(threads).build();
    try {
      server.start();
      inner.start();
    } catch (IOException e) {
      close();
      String why = e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
      throw new IOException(
          "cannot listen on "
              + port.bind()
              + ":"
              + port.port()
              + " ("
              + ListenConfig.GRPC_PORT.option()
              + "): "
              + why,
          e);
    }
  }

  private Server serving(
      ServerBuilder<?> builder,
      Tenants tenants,
      List<BindableService> services,
      List<ServerInterceptor> telemetry) {
    services.forEach(service -> builder.addService(StrictMessages.of(service.bindService())));
    builder
        .executor(threads)
        .intercept(new Authentication(tenants))
        .intercept(new ErrorInterceptor())
        .intercept(calls);
    telemetry.forEach(builder::intercept);
    return builder.build();
  }

  /** Where a call is served; null: in the server's threads. */
  private static <Q, A> Executor executor(ServerCall<Q, A> call, Metadata headers) {
    return HANDED_ON.contains(call.getMethodDescriptor().getFullMethodName())
        ? Runnable::run
        : null;
  }

  private static ServerCredentials credentials(Optional<AccessConfig.Tls> tls) throws IOException {
    if (tls.isEmpty()) {
      return InsecureServerCredentials.create();
    }
    TlsServerCredentials.Builder credentials =
        TlsServerCredentials.newBuilder()
            .keyManager(tls.get().certificate().toFile(), tls.get().key().toFile());
    if (tls.get().clientCa().isPresent()) {
      credentials
          .trustManager(tls.get().clientCa().get().toFile())
          .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
    }
    return credentials.build();
  }

  /**
   * Tools that are a few years old ask for v1alpha only, and Java's gRPC has no other name for it.
   */
  @SuppressWarnings("deprecation")
  private static BindableService olderReflection() {
    return ProtoReflectionService.newInstance();
  }

  public int port() {
    return server.getPort();
  }

  /** For calls from within this process, which are treated as those that come over the port. */
  public Channel calls() {
    return channel;
  }

  /** What the gRPC health service answers. */
  public void setServing(boolean serving) {
    health.setStatus(
        HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
        serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  }

  /**
   * Takes no new calls, sends those that follow a job elsewhere and lets the others end, at most
   * for this long; what then runs is told that this coordinator stops.
   */
  public void drain(Duration patience) {
    health.enterTerminalState();
    server.shutdown();
    inner.shutdown();
    calls.end(method -> FOLLOWING.contains(method.getFullMethodName()));
    await(patience);
    calls.end(method -> true);
    await(CLOSE_PATIENCE);
  }

  /** Until all calls have ended, at most for this long. */
  private void await(Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    try {
      server.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
      inner.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends all calls at once. */
  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
    inner.shutdownNow();
    await(CLOSE_PATIENCE);
    acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    transport.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    threads.shutdown();
  }
}
