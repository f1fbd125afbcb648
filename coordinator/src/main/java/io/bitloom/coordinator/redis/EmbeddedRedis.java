package io.bitloom.coordinator.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.EpollProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Redis server of our own for a single machine: a process that keeps its data in a directory,
 * with every write synced to disk before it is acknowledged. It listens on a Unix socket that no
 * other user of the machine can reach, and on no port.
 *
 * <p>It survives a kill of the coordinator; the next one on the same directory adopts it. Several
 * coordinators on one directory share it, and the last one that closes stops it. If it dies, it is
 * started again at the same place, as often as it takes: a full disk ends it, and has room again
 * some day.
 */
public final class EmbeddedRedis implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedRedis.class);

  /** Every coordinator that uses the server holds a connection of this name. */
  private static final String USER = "bitloom-embedded";

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration PATIENCE_WHILE_LOADING = Duration.ofMinutes(10);
  private static final long PAUSE_MILLIS = 20;
  private static final int START_ATTEMPTS = 3;

  private static final Duration SHORTEST_REST = Duration.ofMillis(100);
  private static final Duration LONGEST_REST = Duration.ofSeconds(10);

  /** A server that lived for so long did not die of its start. */
  private static final Duration SOUND_LIFE = Duration.ofSeconds(5);

  private final RedisServerDirectory directory;
  private final long memory;
  private final ClientResources resources;
  private final RedisClient client;
  private final StatefulRedisConnection<String, String> connection;
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile Optional<String> trouble = Optional.empty();
  private String logged = ""; // of the thread that revives

  private EmbeddedRedis(RedisServerDirectory directory, long memory) throws IOException {
    this.directory = directory;
    this.memory = memory;
    this.resources =
        ClientResources.builder().ioThreadPoolSize(2).computationThreadPoolSize(2).build();
    this.client = RedisClient.create(resources);
    client.setOptions(
        ClientOptions.builder()
            .socketOptions(SocketOptions.builder().keepAlive(false).build()) // there is no network
            .build());
    try {
      this.connection = adopt();
    } catch (IOException | RuntimeException e) {
      ClientEnd.of(client, resources);
      throw e;
    }
  }

  /**
   * Starts the server of this directory, or adopts the one that runs. Blocks until it answers.
   *
   * @throws IOException if it cannot be started; the message holds the end of its log
   */
  public static EmbeddedRedis start(Path directory) throws IOException {
    return start(directory, MachineMemory.half());
  }

  /**
   * Starts or adopts a server, as above, that takes no more memory than this.
   *
   * @param memory bytes
   */
  public static EmbeddedRedis start(Path directory, long memory) throws IOException {
    RedisServerDirectory server = new RedisServerDirectory(directory);
    prepareForSockets(server.path());
    EmbeddedRedis redis = server.locked(() -> new EmbeddedRedis(server, memory));
    redis.watch(Duration.ZERO);
    return redis;
  }

  /** Loads the library for Unix sockets from where programs may run, which /tmp may forbid. */
  private static void prepareForSockets(Path executable) throws IOException {
    System.getProperties().putIfAbsent("io.netty.native.workdir", executable.toString());
    if (!EpollProvider.isAvailable()) {
      throw new IOException(
          "an embedded Redis needs Linux on x86-64; name one that runs elsewhere: --redis URI");
    }
  }

  /** Starts the server if need be, again if it dies before there is a connection. */
  private StatefulRedisConnection<String, String> adopt() throws IOException {
    for (int attempt = 1; ; attempt++) {
      ensureRunning();
      try {
        return connect();
      } catch (RedisException e) {
        if (attempt == START_ATTEMPTS) {
          throw new IOException("redis-server of " + directory.path() + " keeps ending", e);
        }
      }
    }
  }

  /** Where it listens, {@code redis-socket:///PATH}. */
  public String uri() {
    return "redis-socket://" + directory.socket().toUri().getRawPath();
  }

  /** The server's process; changes when it is started again. */
  public Optional<ProcessHandle> process() {
    return directory.server();
  }

  /** Call with the directory locked. A server that dies while it starts is started again. */
  private void ensureRunning() throws IOException {
    for (int attempt = 1; ; attempt++) {
      if (directory.server().isEmpty()) {
        directory.launch();
      }
      Optional<ProcessHandle> server = directory.server();
      if (server.isPresent() && answers(server.get())) {
        return;
      }
      if (attempt == START_ATTEMPTS || server.filter(ProcessHandle::isAlive).isPresent()) {
        throw new IOException(
            "redis-server of " + directory.path() + " does not answer: " + directory.lastWords());
      }
    }
  }

  /** Waits until the server has read its data. */
  private boolean answers(ProcessHandle server) throws IOException {
    long start = System.nanoTime();
    Duration patience = PATIENCE;
    while (server.isAlive() && System.nanoTime() - start < patience.toNanos()) {
      try (StatefulRedisConnection<String, String> attempt = connect()) {
        RedisCommands<String, String> redis = attempt.sync();
        if (redis.info("persistence").contains("loading:0")) {
          redis.configSet("maxmemory", Long.toString(memory)); // also of one that ran before
          return true;
        }
        patience = PATIENCE_WHILE_LOADING;
      } catch (RedisException e) {
        LOG.debug("redis-server does not answer yet", e);
      }
      pause();
    }
    return false;
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while redis-server started", e);
    }
  }

  private StatefulRedisConnection<String, String> connect() {
    return client.connect(
        RedisURI.Builder.socket(directory.socket().toString())
            .withClientName(USER)
            .withTimeout(Duration.ofSeconds(5))
            .build());
  }

  /** That there is no server at this moment, in words for everybody. */
  public Optional<String> trouble() {
    return trouble;
  }

  private void watch(Duration rest) {
    long since = System.nanoTime();
    CompletableFuture<?> end =
        directory
            .server()
            .<CompletableFuture<?>>map(ProcessHandle::onExit)
            .orElseGet(() -> CompletableFuture.completedFuture(null));
    end.thenRunAsync(
        () -> {
          boolean sound = System.nanoTime() - since > SOUND_LIFE.toNanos();
          revive(sound ? Duration.ZERO : rest);
        },
        task -> new Thread(task, "embedded-redis").start());
  }

  /** Starts the server again; the first of several coordinators does it. */
  private void revive(Duration firstRest) {
    if (closesWithin(Duration.ZERO)) {
      return;
    }
    LOG.warn("redis-server of {} ended, starting it again", directory.path());
    for (Duration rest = firstRest; !closesWithin(rest); rest = longer(rest)) {
      try {
        directory.locked(
            () -> {
              if (closing.getCount() > 0) {
                ensureRunning();
              }
              return null;
            });
        trouble = Optional.empty();
        logged = "";
        watch(longer(rest));
        return;
      } catch (IOException | RuntimeException e) {
        cannotStart(e);
      }
    }
  }

  private void cannotStart(Exception cause) {
    String why = String.valueOf(cause.getMessage());
    if (!why.equals(logged)) {
      logged = why;
      LOG.error("redis-server of {} does not start: {}; trying again", directory.path(), why);
    }
    trouble = Optional.of("the embedded Redis does not start; the coordinator's log says why");
  }

  private boolean closesWithin(Duration rest) {
    try {
      return closing.await(rest.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private static Duration longer(Duration rest) {
    Duration twice = rest.isZero() ? SHORTEST_REST : rest.multipliedBy(2);
    return twice.compareTo(LONGEST_REST) < 0 ? twice : LONGEST_REST;
  }

  /** Stops the server if no other coordinator uses it. */
  @Override
  public void close() {
    closing.countDown();
    try {
      directory.locked(
          () -> {
            if (directory.server().isPresent() && otherUsers() == 0) {
              stop();
            }
            return null;
          });
    } catch (IOException | RedisException e) {
      LOG.warn("redis-server of {} could not be stopped", directory.path(), e);
    } finally {
      ClientEnd.of(client, resources);
    }
  }

  private long otherUsers() {
    return connection.sync().clientList().lines().filter(c -> c.contains(" name=" + USER)).count()
        - 1;
  }

  /** Ends the server and waits for its end, so that the directory can be used again at once. */
  private void stop() throws IOException {
    ProcessHandle server = directory.server().orElseThrow();
    connection.sync().shutdown(false);
    for (long start = System.nanoTime(); server.isAlive(); pause()) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new IOException("redis-server does not end");
      }
    }
    directory.forgetSocket();
  }
}
