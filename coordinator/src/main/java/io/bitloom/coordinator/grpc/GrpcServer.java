package io.bitloom.coordinator.grpc;

import io.bitloom.coordinator.auth.Authentication;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.v1.BatchServiceGrpc;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The gRPC port with health and reflection, and the same services within the process for the HTTP
 * port.
 */
public final class GrpcServer implements AutoCloseable {

  /** Largest message in either direction: a prompt's 16 images at 4 MiB. */
  public static final int MAX_MESSAGE_BYTES = 64 << 20;

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(2);

  /** Streams that follow a job for as long as it takes, and go on at another coordinator. */
  private static final Set<String> FOLLOWING =
      Set.of(
          BatchServiceGrpc.getWatchJobMethod().getFullMethodName(),
          BatchServiceGrpc.getReadResultsMethod().getFullMethodName());

  private static final int THREADS = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());

  private final HealthStatusManager health = new HealthStatusManager();
  private final OpenCalls networkCalls = new OpenCalls();
  private final ExecutorService threads;
  private final Server network;
  private final Server inProcess;
  private final ManagedChannel inProcessChannel;

  /**
   * Starts to listen; health says NOT_SERVING until {@link #setServing}.
   *
   * @param port 0 for any free one
   * @param tls secures the connections; empty: nothing does
   * @param tenants who is let in
   * @throws IOException if the address cannot be bound
   */
  public GrpcServer(
      String bind,
      int port,
      Optional<AccessConfig.Tls> tls,
      Tenants tenants,
      List<BindableService> services,
      ServerInterceptor telemetry)
      throws IOException {
    setServing(false);
    AtomicInteger number = new AtomicInteger();
    threads =
        Executors.newFixedThreadPool(
            THREADS, task -> new Thread(task, "grpc-" + number.incrementAndGet()));
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(bind, port), credentials(tls))
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(5, TimeUnit.SECONDS);
    String name = InProcessServerBuilder.generateName();
    network =
        with(services, new Authentication(tenants, false), networkCalls, telemetry, builder)
            .build();
    inProcess =
        with(
                services,
                new Authentication(tenants, true),
                new OpenCalls(),
                telemetry,
                InProcessServerBuilder.forName(name))
            .build();
    inProcessChannel = InProcessChannelBuilder.forName(name).build();
    inProcess.start();
    try {
      network.start();
    } catch (IOException e) {
      close();
      String why = e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
      throw new IOException("cannot listen on " + bind + ":" + port + " (--grpc-port): " + why, e);
    }
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

  private <B extends ServerBuilder<B>> B with(
      List<BindableService> services,
      Authentication authentication,
      OpenCalls calls,
      ServerInterceptor telemetry,
      B builder) {
    builder
        .executor(threads)
        .addService(health.getHealthService())
        .addService(ProtoReflectionServiceV1.newInstance())
        .addService(olderReflection())
        .intercept(authentication)
        .intercept(new ErrorInterceptor())
        .intercept(calls)
        .intercept(telemetry);
    services.forEach(service -> builder.addService(StrictMessages.of(service.bindService())));
    return builder;
  }

  /**
   * Tools that are a few years old ask for v1alpha only, and Java's gRPC has no other name for it.
   */
  @SuppressWarnings("deprecation")
  private static BindableService olderReflection() {
    return ProtoReflectionService.newInstance();
  }

  public int port() {
    return network.getPort();
  }

  /** A channel to the same services that takes no socket. */
  public Channel inProcessChannel() {
    return inProcessChannel;
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
    network.shutdown();
    networkCalls.end(method -> FOLLOWING.contains(method.getFullMethodName()));
    await(network, patience);
    networkCalls.end(method -> true);
    await(network, CLOSE_PATIENCE);
  }

  private static void await(Server server, Duration patience) {
    try {
      server.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends all calls at once. */
  @Override
  public void close() {
    network.shutdownNow();
    inProcessChannel.shutdownNow();
    inProcess.shutdownNow();
    await(network, CLOSE_PATIENCE);
    await(inProcess, CLOSE_PATIENCE);
    threads.shutdown();
  }
}
