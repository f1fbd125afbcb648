package io.bitloom.coordinator.redis;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionStateAdapter;
import io.lettuce.core.RedisException;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Connections to one Redis, be it a server, the master of sentinels or a cluster, with a circuit
 * breaker: while Redis is away, calls fail at once with {@code QUEUE_UNAVAILABLE}; when it is back
 * they work again. A call whose connection breaks is not repeated, because it may have taken
 * effect.
 */
public final class RedisConnection implements AutoCloseable {

  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  /** Calls have failed long before; what keeps Redis from answering for longer is rare. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private static final Duration TOPOLOGY_REFRESH = Duration.ofMinutes(1);

  /** While a server is looked for that took over another one's slots. */
  private static final Duration REFRESH_INTERVAL = Duration.ofMillis(500);

  /** The usual {@code cluster-node-timeout} of 15 s, and an election. */
  private static final Duration FAILOVER = Duration.ofSeconds(30);

  private static final Duration PING_INTERVAL = Duration.ofMillis(2500);

  /** After a loss of Redis, {@link #available} is false within this time. */
  public static final Duration LOSS_NOTICED_WITHIN = PING_INTERVAL.plus(TIMEOUT);

  static final RedisCodec<String, byte[]> CODEC =
      RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);

  /** Hears of every call, on whatever thread it ended; must not block. */
  public interface CallTimes {

    /**
     * @param name of the script, or {@code command}
     * @param nanos from the call to the reply
     * @param ok whether there was one that is no error
     */
    void called(String name, long nanos, boolean ok);
  }

  private final ClientResources resources;
  private final AbstractRedisClient client;
  private final StatefulConnection<String, byte[]> connection;
  private final RedisClusterAsyncCommands<String, byte[]> commands;
  private final RedisChannels channels;
  private final RedisInspection inspection;
  private final Optional<ReplicatedCalls> replicated;
  private final String probeKey;
  private final CircuitBreaker breaker = CircuitBreaker.of("redis", breakerConfig());
  private final Future<?> pings;
  private volatile CallTimes times = (name, nanos, ok) -> {};
  private volatile boolean answering = true;
  private volatile Optional<String> takesNoWrites = Optional.empty();
  private volatile boolean mayProbe = true;

  private RedisConnection(
      ClientResources resources,
      AbstractRedisClient client,
      StatefulConnection<String, byte[]> connection,
      RedisClusterAsyncCommands<String, byte[]> commands,
      RedisChannels channels,
      RedisInspection inspection,
      Optional<ReplicatedCalls> replicated,
      String namespace) {
    this.resources = resources;
    this.client = client;
    this.connection = connection;
    this.commands = commands;
    this.channels = channels;
    this.inspection = inspection;
    this.replicated = replicated;
    this.probeKey = namespace + ":probe";
    connection.addListener(
        new RedisConnectionStateAdapter() {
          @Override
          public void onRedisConnected(RedisChannelHandler<?, ?> connected, SocketAddress address) {
            answering = true;
            breaker.reset();
            inspection.lookAgain();
          }
        });
    this.pings =
        resources
            .eventExecutorGroup()
            .scheduleAtFixedRate(
                this::ping,
                PING_INTERVAL.toMillis(),
                PING_INTERVAL.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  /** Connects to a Redis whose own word is enough, as {@link #connect(String, String, int)}. */
  public static RedisConnection connect(String uri, String namespace) {
    return connect(uri, namespace, 0);
  }

  /**
   * Connects, and looks whether this Redis can be trusted with jobs.
   *
   * @param uri of one server, of sentinels or of a cluster, as {@link RedisAddress} reads it
   * @param namespace prefix of all keys that may be used
   * @param replicas that must have what scripts acknowledge
   * @throws BitloomException with {@code INVALID_FIELD} if this is not such a URI, with {@code
   *     QUEUE_UNAVAILABLE} if Redis does not answer, is not trusted, or does not let this user in
   * @throws io.bitloom.common.config.ConfigException if it is set so that it would lose jobs
   */
  public static RedisConnection connect(String uri, String namespace, int replicas) {
    return connect(uri, namespace, replicas, FAILOVER);
  }

  /**
   * Likewise.
   *
   * @param failover for how long a replica of a cluster may take to take over
   */
  static RedisConnection connect(String uri, String namespace, int replicas, Duration failover) {
    RedisAddress address = RedisAddress.parse(uri);
    ClientResources resources =
        ClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .reconnectDelay(
                () ->
                    Delay.exponential(
                        Duration.ofMillis(20), Duration.ofMillis(500), 2, TimeUnit.MILLISECONDS))
            .nettyCustomizer(
                new NettyCustomizer() {
                  @Override
                  public void afterChannelInitialized(Channel channel) {
                    channel.pipeline().addFirst(new ReplyWatch(SILENCE));
                  }
                })
            .build();
    try {
      return address.cluster()
          ? toCluster(resources, address, namespace, replicas, failover)
          : toServer(resources, address, namespace, replicas);
    } catch (RedisException e) {
      resources.shutdown(0, 0, TimeUnit.SECONDS);
      throw RedisErrors.notLetIn(address, e);
    } catch (ConfigException e) {
      resources.shutdown(0, 0, TimeUnit.SECONDS);
      throw e;
    }
  }

  private static RedisConnection toServer(
      ClientResources resources, RedisAddress address, String namespace, int replicas) {
    RedisClient client = RedisClient.create(resources, address.nodes().get(0));
    client.setOptions(
        options(ClientOptions.builder(), address)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .build());
    try {
      StatefulRedisConnection<String, byte[]> connection = client.connect(CODEC);
      RedisInspection inspection = RedisInspection.of(address, connection, replicas);
      inspection.check();
      return new RedisConnection(
          resources,
          client,
          connection,
          connection.async(),
          new RedisChannels(client.connectPubSub(CODEC)),
          inspection,
          replicated(resources, address, new Masters.OfServer(address), replicas, inspection),
          namespace);
    } catch (RedisException | ConfigException e) {
      ClientEnd.of(client);
      throw e;
    }
  }

  /** Connections to nodes are made by their first calls, which therefore must wait for them. */
  private static RedisConnection toCluster(
      ClientResources resources,
      RedisAddress address,
      String namespace,
      int replicas,
      Duration failover) {
    RedisClusterClient client = RedisClusterClient.create(resources, address.nodes());
    ClusterClientOptions.Builder builder =
        ClusterClientOptions.builder()
            .topologyRefreshOptions(
                ClusterTopologyRefreshOptions.builder()
                    .enablePeriodicRefresh(TOPOLOGY_REFRESH)
                    .adaptiveRefreshTriggersTimeout(REFRESH_INTERVAL)
                    .build());
    options(builder, address);
    client.setOptions(builder.build());
    try {
      StatefulRedisClusterConnection<String, byte[]> connection = client.connect(CODEC);
      RedisInspection inspection = RedisInspection.of(connection, replicas);
      inspection.check(failover, client::refreshPartitions);
      return new RedisConnection(
          resources,
          client,
          connection,
          connection.async(),
          hasShardChannels(connection)
              ? RedisChannels.sharded(client.connectPubSub(CODEC))
              : new RedisChannels(client.connectPubSub(CODEC)),
          inspection,
          replicated(
              resources,
              address,
              new Masters.OfCluster(address, client, connection),
              replicas,
              inspection),
          namespace);
    } catch (RedisException | ConfigException e) {
      ClientEnd.of(client);
      throw e;
    }
  }

  /** Since Redis 7; not if this user may not know. */
  private static boolean hasShardChannels(
      StatefulRedisClusterConnection<String, byte[]> connection) {
    try {
      return connection.sync().commandInfo("spublish").stream().anyMatch(Objects::nonNull);
    } catch (RedisCommandExecutionException e) {
      return false;
    }
  }

  /** Nothing is connected where nobody asks for replicas. */
  private static Optional<ReplicatedCalls> replicated(
      ClientResources resources,
      RedisAddress address,
      Masters masters,
      int replicas,
      RedisInspection inspection) {
    if (replicas == 0) {
      return Optional.empty();
    }
    RedisClient client = RedisClient.create(resources);
    client.setOptions(options(ClientOptions.builder(), address).autoReconnect(false).build());
    return Optional.of(new ReplicatedCalls(client, masters, replicas, inspection::lookAgain));
  }

  private static ClientOptions.Builder options(
      ClientOptions.Builder builder, RedisAddress address) {
    return builder
        .sslOptions(address.tls())
        .replayFilter(command -> true)
        .maintNotificationsConfig(MaintNotificationsConfig.disabled())
        .timeoutOptions(TimeoutOptions.enabled(TIMEOUT))
        .socketOptions(SocketOptions.builder().connectTimeout(TIMEOUT).keepAlive(true).build());
  }

  private static CircuitBreakerConfig breakerConfig() {
    return CircuitBreakerConfig.custom()
        .slidingWindowSize(20)
        .minimumNumberOfCalls(5)
        .failureRateThreshold(50)
        .waitDurationInOpenState(Duration.ofMillis(500))
        .permittedNumberOfCallsInHalfOpenState(2)
        .recordException(RedisErrors::isLoss)
        .build();
  }

  /** Whether Redis answers; turns false within {@link #LOSS_NOTICED_WITHIN} of its loss. */
  public boolean available() {
    return trouble().isEmpty();
  }

  /** Why jobs cannot be taken now, in words for an operator; empty if they can. */
  public Optional<String> trouble() {
    boolean there =
        answering
            && connection.isOpen()
            && channels.available()
            && breaker.getState() == CircuitBreaker.State.CLOSED;
    return there ? takesNoWrites.or(inspection::refusal) : Optional.of("Redis does not answer");
  }

  /** From now on this one hears of every call. */
  public void tellTimes(CallTimes listener) {
    times = listener;
  }

  /** Makes one call. Its stage fails with a {@link BitloomException} only. */
  public <T> CompletionStage<T> call(
      Function<RedisClusterAsyncCommands<String, byte[]>, CompletionStage<T>> command) {
    return call("command", command);
  }

  private <T> CompletionStage<T> call(
      String name,
      Function<RedisClusterAsyncCommands<String, byte[]>, CompletionStage<T>> command) {
    long begin = System.nanoTime();
    return attempt(command)
        .whenComplete((reply, e) -> times.called(name, System.nanoTime() - begin, e == null))
        .exceptionallyCompose(
            e -> {
              RedisErrors.takesNoWrites(e).ifPresent(why -> takesNoWrites = Optional.of(why));
              return RedisErrors.isFull(e)
                  ? isFull().thenCompose(CompletableFuture::failedStage)
                  : CompletableFuture.failedStage(RedisErrors.translate(e));
            });
  }

  /** Says how full Redis is; in a cluster any of its servers may be meant, so not of that. */
  private CompletionStage<BitloomException> isFull() {
    return commands
        .info("memory")
        .thenApply(RedisServerReport::fields)
        .thenApply(
            memory -> {
              long most = Long.parseLong(memory.getOrDefault("maxmemory", "0"));
              long used = Long.parseLong(memory.getOrDefault("used_memory", "0"));
              boolean another = used < most && connection instanceof StatefulRedisClusterConnection;
              // The arguments of the refused call counted, too, and have been freed since.
              return another
                  ? RedisErrors.full(0, 0)
                  : RedisErrors.full(most, Math.max(most, used));
            })
        .exceptionally(e -> RedisErrors.full(0, 0));
  }

  /** The breaker throws if a ping closes it at the moment in which this call would half-open it. */
  private <T> CompletionStage<T> attempt(
      Function<RedisClusterAsyncCommands<String, byte[]>, CompletionStage<T>> command) {
    try {
      return breaker.executeCompletionStage(() -> command.apply(commands));
    } catch (IllegalStateTransitionException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /**
   * Runs a script, and loads it first if this Redis does not have it. If its reply acknowledges
   * something, and replicas are asked for, the stage fails with {@code QUEUE_UNAVAILABLE} unless
   * they have what it wrote; it may have taken effect then.
   */
  public CompletionStage<List<Object>> eval(RedisScript script, String[] keys, byte[]... args) {
    return script.acknowledges() && replicated.isPresent()
        ? call(script.name(), redis -> replicated.get().run(script, keys, args))
        : call(script.name(), redis -> script.run(redis, keys, args));
  }

  /** Whether a call of this class failed because a key is of another type than it needs. */
  public static boolean isOfOtherType(Throwable e) {
    return RedisErrors.isOfOtherType(e);
  }

  /** How many connections hear each of some channels, on all servers together. */
  public CompletionStage<Map<String, Long>> listeners(String... channels) {
    if (connection instanceof StatefulRedisClusterConnection<String, byte[]> cluster) {
      CompletionStage<Map<String, Long>> all = CompletableFuture.completedStage(Map.of());
      for (RedisClusterNode node : heard(cluster)) {
        all =
            all.thenCombine(
                call(
                    redis ->
                        cluster
                            .getConnectionAsync(node.getNodeId())
                            .thenCompose(of -> of.async().pubsubNumsub(channels))),
                RedisConnection::sums);
      }
      return all;
    }
    return call(redis -> redis.pubsubNumsub(channels));
  }

  /** All servers but those that the others have given up. */
  private static List<RedisClusterNode> heard(
      StatefulRedisClusterConnection<String, byte[]> cluster) {
    return cluster.getPartitions().stream()
        .filter(node -> !node.is(RedisClusterNode.NodeFlag.FAIL))
        .toList();
  }

  private static Map<String, Long> sums(Map<String, Long> some, Map<String, Long> others) {
    Map<String, Long> sums = new HashMap<>(some);
    others.forEach((channel, heard) -> sums.merge(channel, heard, Long::sum));
    return sums;
  }

  /** The pub/sub side of this Redis. */
  public RedisChannels channels() {
    return channels;
  }

  /** What is wrong with this Redis, as far as it was seen. */
  List<RedisFinding> findings() {
    return inspection.known();
  }

  private void ping() {
    if (!connection.isOpen()) {
      answering = false;
      return;
    }
    probe()
        .whenComplete(
            (noWrites, e) -> {
              answering = e == null;
              takesNoWrites = answering ? noWrites : takesNoWrites;
              CircuitBreaker.State state = breaker.getState();
              if (answering && state != CircuitBreaker.State.CLOSED) {
                breaker.transitionToClosedState(); // half-open would refuse all calls but a few
              } else if (!answering && state != CircuitBreaker.State.OPEN) {
                breaker.transitionToOpenState();
              }
            });
    channels.ping();
    inspection.lookIfDue();
  }

  /**
   * Asks Redis for a sign of life by a write that changes nothing and makes no key, so that one
   * that takes no writes says so.
   *
   * @return why it takes none
   */
  private CompletionStage<Optional<String>> probe() {
    if (!mayProbe) {
      return commands.ping().thenApply(pong -> Optional.empty());
    }
    return commands
        .setrange(probeKey, 0, new byte[0])
        .thenApply(length -> Optional.<String>empty())
        .exceptionallyCompose(
            e -> {
              Optional<String> why = RedisErrors.takesNoWrites(e);
              boolean answered = RedisErrors.cause(e) instanceof RedisCommandExecutionException;
              if (why.isEmpty() && (!answered || RedisErrors.isLoss(e))) {
                return CompletableFuture.failedStage(e);
              }
              mayProbe = why.isPresent();
              return CompletableFuture.completedStage(why);
            });
  }

  @Override
  public void close() {
    pings.cancel(false);
    replicated.ifPresent(ReplicatedCalls::close);
    ClientEnd.of(client, resources);
  }
}
