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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** A coordinator with its embedded Redis, and workers; each is its own process. */
public final class LocalCluster implements AutoCloseable {

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final int LAST_LINES = 20;
  private static final int FIRST_PORT = 20_000;
  private static final int LAST_PORT = 32_000;
  private static final int PORT_ATTEMPTS = 100;

  private final Deque<ChildProcess> processes = new ArrayDeque<>();
  private String grpcAddress;
  private String httpAddress;
  private volatile boolean closing;

  private LocalCluster() {}

  /**
   * Starts the processes; returns when the coordinator is ready, while the workers still load their
   * model.
   *
   * @throws IOException if the coordinator cannot be started; has the end of its log
   */
  public static LocalCluster start(ClusterConfig config) throws IOException {
    LocalCluster cluster = new LocalCluster();
    try {
      cluster.startAll(config);
    } catch (IOException | RuntimeException e) {
      cluster.close();
      throw e;
    }
    return cluster;
  }

  /** All at once: each program spends its first seconds on loading its own classes. */
  private void startAll(ClusterConfig config) throws IOException {
    Files.createDirectories(config.logs());
    int port = config.grpcPort() != 0 ? config.grpcPort() : freePort();
    grpcAddress = "127.0.0.1:" + port;
    Path ports = Files.createTempDirectory("bitloom-ports").resolve("ports.json");
    try {
      startCoordinator(config, port, ports);
      for (int i = 1; i <= config.workers(); i++) {
        startWorker(config, i);
      }
      JsonObject bound = JsonParser.parseString(awaitFile(ports)).getAsJsonObject();
      httpAddress = "http://127.0.0.1:" + bound.get("http").getAsInt();
    } finally {
      Files.deleteIfExists(ports);
      Files.delete(ports.getParent());
    }
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

  private void startCoordinator(ClusterConfig config, int port, Path ports) throws IOException {
    List<String> arguments =
        List.of(
            "coordinator",
            "--data=" + config.data(),
            "--grpc-port=" + port,
            "--http-port=" + config.httpPort(),
            "--ports-file=" + ports,
            "--exit-on-stdin-close");
    start("coordinator", config, "", arguments);
  }

  private void startWorker(ClusterConfig config, int number) throws IOException {
    boolean alone = config.workers() == 1;
    List<String> arguments = new ArrayList<>();
    arguments.add("worker");
    arguments.add("--coordinator=" + grpcAddress);
    arguments.add("--exit-on-stdin-close");
    if (!config.model().isEmpty()) {
      arguments.add("--model=" + config.model());
    }
    int share = processorsOf(number, config.workers(), Runtime.getRuntime().availableProcessors());
    start(
        alone ? "worker" : "worker-" + number,
        config,
        alone ? "" : "-XX:ActiveProcessorCount=" + share,
        arguments);
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

  private void start(String name, ClusterConfig config, String jvmOptions, List<String> arguments)
      throws IOException {
    processes.push(ChildProcess.start(name, config, jvmOptions, arguments));
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
    return httpAddress;
  }

  /** Which process ended though it should run, with the end of its log. */
  public Optional<String> broken() {
    return processes.stream()
        .filter(process -> !process.isAlive())
        .findFirst()
        .map(process -> process.epitaph(LAST_LINES));
  }

  /** Runs something as soon as a process ends that should run. */
  public void whenBroken(Runnable action) {
    for (ChildProcess process : processes) {
      process.whenEnded(
          () -> {
            if (!closing) {
              action.run();
            }
          });
    }
  }

  /** Ends the workers, then the coordinator; waits for them. */
  @Override
  public void close() {
    closing = true;
    processes.forEach(ChildProcess::close);
  }
}
