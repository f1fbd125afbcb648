package io.bitloom.coordinator.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.bitloom.coordinator.TestCoordinator;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import redis.embedded.core.ExecutableProvider;

/** Redis servers as a test wants them, each in a process of its own that can be killed. */
public final class RedisServers implements AutoCloseable {

  private static final int SLOTS = 16384;

  private final Path folder;
  private final Path program;
  private final Map<Integer, Process> processes = new HashMap<>();
  private final Map<Integer, List<String>> commands = new HashMap<>();
  private final RedisClient client = RedisClient.create();

  /**
   * Servers of the version that coordinators embed.
   *
   * @param folder for programs, data and logs
   */
  public RedisServers(Path folder) throws IOException {
    this(
        folder,
        ExecutableProvider.newJarResourceProvider(
                Files.createDirectories(folder.resolve("program")).toFile())
            .get()
            .toPath());
  }

  private RedisServers(Path folder, Path program) {
    this.folder = folder;
    this.program = program;
  }

  /** Servers of the version that is installed on this machine, if that is Redis 7 or later. */
  public static Optional<RedisServers> installed(Path folder) throws IOException {
    Path program = Path.of("redis-server"); // the first one on the path
    try {
      Process version = new ProcessBuilder(program.toString(), "--version").start();
      String said = new String(version.getInputStream().readAllBytes(), UTF_8);
      return said.matches("(?s).* v=([7-9]|\\d\\d).*")
          ? Optional.of(new RedisServers(folder, program))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // there is none
    }
  }

  /** Whether the program was built with TLS: one that was asks for the certificate it lacks. */
  public boolean speakTls() throws IOException {
    Process server =
        new ProcessBuilder(program.toString(), "--port", "0", "--tls-port", "1")
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    return new String(server.getInputStream().readAllBytes(), UTF_8).contains("tls-cert-file");
  }

  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /**
   * Starts a server and waits until it answers.
   *
   * @param lines of its configuration, besides port, folder and loopback
   * @param arguments of the program after the configuration
   */
  public void start(int port, List<String> lines, String... arguments) throws Exception {
    Path ofServer = Files.createDirectories(folder.resolve("server-" + port));
    List<String> configuration =
        new ArrayList<>(List.of("port " + port, "bind 127.0.0.1", "dir " + ofServer, "save \"\""));
    configuration.addAll(lines);
    Path file = ofServer.resolve("redis.conf");
    Files.write(file, configuration);
    List<String> command = new ArrayList<>(List.of(program.toString(), file.toString()));
    command.addAll(List.of(arguments));
    commands.put(port, command);
    restart(port);
  }

  /** Starts a server that was killed, and waits until it answers. */
  public void restart(int port) throws IOException, InterruptedException {
    Path log = folder.resolve("server-" + port).resolve("log");
    processes.put(
        port,
        new ProcessBuilder(commands.get(port))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start());
    await(port, redis -> redis.ping().equals("PONG"));
  }

  /** The port of some server that was not killed. */
  int running() {
    return processes.keySet().iterator().next();
  }

  /** Ends it like {@code kill -9}. */
  public void kill(int port) {
    processes.remove(port).destroyForcibly().onExit().join();
  }

  /** Sends {@code STOP}, and it hangs, or {@code CONT}, and it goes on. */
  public void signal(int port, String name) throws IOException, InterruptedException {
    String process = Long.toString(processes.get(port).pid());
    new ProcessBuilder("kill", "-" + name, process).start().waitFor();
  }

  /** Waits until something holds of a server that needs no password. */
  public void await(int port, Predicate<RedisCommands<String, String>> condition)
      throws InterruptedException {
    TestCoordinator.awaitTrue(
        "Redis at " + port,
        () -> {
          try (StatefulRedisConnection<String, String> connection =
              client.connect(RedisURI.create("redis://127.0.0.1:" + port))) {
            return condition.test(connection.sync());
          } catch (RedisException e) {
            return String.valueOf(e.getMessage()).startsWith("NOAUTH")
                || String.valueOf(e.getCause()).contains("NOAUTH");
          }
        });
  }

  /** The ports of all servers that run. */
  public Set<Integer> ports() {
    return Set.copyOf(processes.keySet());
  }

  /** Starts a cluster of masters; returns its URI. */
  public String startCluster(int nodes) throws Exception {
    List<Integer> ports = startMasters(nodes, List.of());
    return "redis-cluster://127.0.0.1:" + ports.get(0) + ",127.0.0.1:" + ports.get(1);
  }

  /** Starts a server that is to be of a cluster, at a free port, and returns the port. */
  int startNode(List<String> lines) throws Exception {
    int port =
        freePort() % 20_000 + 20_000; // the bus takes the port 10,000 above, which has to exist
    List<String> configuration = new ArrayList<>(lines);
    configuration.addAll(List.of("cluster-enabled yes", "cluster-node-timeout 1500"));
    start(port, configuration);
    return port;
  }

  /** Starts the masters of a cluster, which have all slots, and returns their ports. */
  List<Integer> startMasters(int nodes, List<String> lines) throws Exception {
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      ports.add(startNode(lines));
    }
    for (int i = 0; i < nodes; i++) {
      int[] slots = IntStream.range(SLOTS * i / nodes, SLOTS * (i + 1) / nodes).toArray();
      int epoch = i + 1;
      await(
          ports.get(i),
          redis -> {
            redis.clusterSetConfigEpoch(epoch);
            redis.clusterAddSlots(slots);
            redis.clusterMeet("127.0.0.1", ports.get(0));
            return true;
          });
    }
    for (int port : ports) {
      await(
          port,
          redis ->
              redis.clusterInfo().contains("cluster_state:ok")
                  && redis.clusterInfo().contains("cluster_known_nodes:" + nodes));
    }
    return ports;
  }

  @Override
  public void close() {
    List.copyOf(processes.keySet()).forEach(this::kill);
    client.shutdown();
  }
}
