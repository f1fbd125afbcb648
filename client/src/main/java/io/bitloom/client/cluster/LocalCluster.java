package io.bitloom.client.cluster;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A coordinator with its embedded Redis, and workers; each is its own process, and is started again
 * when it ends, as the configuration says. Redis itself is none of them: it is the coordinator's,
 * which starts it again and leaves it running when it is killed.
 */
public final class LocalCluster implements AutoCloseable {

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final int FIRST_PORT = 20_000;
  private static final int LAST_PORT = 32_000;
  private static final int PORT_ATTEMPTS = 100;

  private final ClusterConfig config;
  private final Consumer<Restart> listener;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(LocalCluster::daemon);
  private final List<SupervisedProgram> workers = new ArrayList<>();
  private SupervisedProgram coordinator;
  private String grpcAddress;
  private volatile int httpPort;

  private LocalCluster(ClusterConfig config, Consumer<Restart> listener) {
    this.config = config;
    this.listener = listener;
    this.httpPort = config.httpPort();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "supervisor");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Starts the processes; returns when the coordinator is ready, while the workers still load their
   * model.
   *
   * @param listener told whenever a process is started again
   * @throws IOException if the coordinator cannot be started; has the end of its log
   */
  public static LocalCluster start(ClusterConfig config, Consumer<Restart> listener)
      throws IOException {
    Path folder = Files.createTempDirectory("bitloom-ports");
    LocalCluster cluster = new LocalCluster(config, listener);
    try {
      cluster.startAll(folder.resolve("ports.json"));
    } catch (IOException | RuntimeException e) {
      cluster.close();
      throw e;
    } finally {
      delete(folder); // written by a coordinator that is ready now, or has ended
    }
    cluster.coordinator.keepRunning();
    return cluster;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  /** All at once: each program spends its first seconds on loading its own classes. */
  private void startAll(Path ports) throws IOException {
    Files.createDirectories(config.logs());
    int port = config.grpcPort() != 0 ? config.grpcPort() : freePort();
    grpcAddress = "127.0.0.1:" + port;
    coordinator =
        program(
            "coordinator",
            log ->
                ChildProcess.start(
                    "coordinator", config, log, "", Map.of(), coordinator(port, ports)));
    coordinator.start();
    for (int i = 1; i <= config.workers().count(); i++) {
      SupervisedProgram worker = worker(i);
      workers.add(worker);
      worker.keepRunning();
      worker.start();
    }
    JsonObject bound = JsonParser.parseString(awaitFile(ports)).getAsJsonObject();
    httpPort = bound.get("http").getAsInt();
  }

  /** A port that nobody listens on, outside of the range that systems give to connections. */
  private static int freePort() throws IOException {
    for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, LAST_PORT);
      try (ServerSocket free = new ServerSocket()) {
        free.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (BindException e) {
        // Taken: the next attempt tries another one.
      }
    }
    throw new IOException("no free port between " + FIRST_PORT + " and " + LAST_PORT);
  }

  /** Every start gets the same ports; the first one tells which those are. */
  private List<String> coordinator(int port, Path ports) {
    List<String> arguments = new ArrayList<>();
    arguments.add("coordinator");
    arguments.add("--data=" + config.data());
    arguments.add("--grpc-port=" + port);
    arguments.add("--http-port=" + httpPort);
    if (Files.exists(ports.getParent())) {
      arguments.add("--ports-file=" + ports);
    }
    arguments.add("--exit-on-stdin-close");
    return arguments;
  }

  private SupervisedProgram worker(int number) {
    Workers all = config.workers();
    boolean alone = all.count() == 1;
    List<String> arguments = new ArrayList<>();
    arguments.add("worker");
    arguments.add("--coordinator=" + grpcAddress);
    arguments.add("--exit-on-stdin-close");
    if (!config.model().isEmpty()) {
      arguments.add("--model=" + config.model());
    }
    all.device().ifPresent(device -> arguments.add("--device=" + device));
    int share = processorsOf(number, all.count(), Runtime.getRuntime().availableProcessors());
    String name = alone ? "worker" : "worker-" + number;
    String jvmOptions = alone ? "" : "-XX:ActiveProcessorCount=" + share;
    return program(
        name,
        log ->
            ChildProcess.start(name, config, log, jvmOptions, all.environment(number), arguments));
  }

  /**
   * How many of the processors one of several workers is to use, so that together they use each
   * once; at least 1.
   *
   * @param number of the worker, from 1
   */
  static int processorsOf(int number, int workers, int processors) {
    return Math.max(1, processors / workers + (number <= processors % workers ? 1 : 0));
  }

  private SupervisedProgram program(String name, SupervisedProgram.Launcher launcher) {
    RotatingLog log = new RotatingLog(config.logs().resolve(name + ".log"));
    return new SupervisedProgram(name, log, launcher, config.restarts(), timer, listener);
  }

  /** The coordinator writes the file in one step when it is ready. */
  private String awaitFile(Path file) throws IOException {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!Files.exists(file)) {
      Optional<String> broken = broken();
      if (broken.isPresent()) {
        throw new IOException(broken.get());
      }
      if (System.nanoTime() > deadline) {
        throw new IOException("the coordinator is not ready after " + START_TIMEOUT);
      }
      pause();
    }
    return Files.readString(file);
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(POLL.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the coordinator started", e);
    }
  }

  /** {@code host:port} of the coordinator. */
  public String grpcAddress() {
    return grpcAddress;
  }

  /** Address of the coordinator's pages. */
  public String httpAddress() {
    return "http://127.0.0.1:" + httpPort;
  }

  /** Which process was given up, with the end of its log. */
  public Optional<String> broken() {
    return programs()
        .map(program -> program.givenUp().getNow(null))
        .filter(Objects::nonNull)
        .findFirst();
  }

  /** Runs something as soon as a process is given up. */
  public void whenBroken(Runnable action) {
    programs().forEach(program -> program.givenUp().thenRun(action));
  }

  private Stream<SupervisedProgram> programs() {
    return Stream.concat(Stream.ofNullable(coordinator), workers.stream());
  }

  /** Ends the workers together, then the coordinator; waits for them. */
  @Override
  public void close() {
    workers.forEach(SupervisedProgram::askToEnd);
    workers.forEach(SupervisedProgram::close);
    if (coordinator != null) {
      coordinator.close();
    }
    timer.shutdownNow();
  }
}
