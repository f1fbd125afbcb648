package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** A coordinator and workers as processes; each can be killed and started again. */
final class TestCluster implements AutoCloseable {

  private static final Duration TIMEOUT = Duration.ofMinutes(3);
  private static final List<String> RATIOS = List.of("1:1", "3:2", "2:3", "16:9", "9:16", "4:3");

  private final Path folder;
  private final int port;
  private final List<BitloomProcess> processes = new ArrayList<>();
  private BitloomProcess coordinator;
  private BitloomClient client;

  private final List<String> coordinatorOptions;
  private final Map<String, String> environment;
  private final Map<String, String> workerEnvironment;

  private TestCluster(
      Path folder,
      int port,
      List<String> coordinatorOptions,
      Map<String, String> environment,
      Map<String, String> workerEnvironment) {
    this.folder = folder;
    this.port = port;
    this.coordinatorOptions = coordinatorOptions;
    this.environment = environment;
    this.workerEnvironment = workerEnvironment;
  }

  /** Starts a coordinator and one worker and waits until a model is there. */
  static TestCluster start(Path folder) throws IOException {
    return start(folder, List.of(), Map.of());
  }

  /**
   * Starts a coordinator and one worker and waits until a model is there.
   *
   * @param coordinatorOptions besides those that it needs
   * @param environment of the coordinator
   */
  static TestCluster start(
      Path folder, List<String> coordinatorOptions, Map<String, String> environment)
      throws IOException {
    return start(folder, coordinatorOptions, environment, Map.of());
  }

  /** Likewise, with an environment of workers. */
  static TestCluster start(
      Path folder,
      List<String> coordinatorOptions,
      Map<String, String> environment,
      Map<String, String> workerEnvironment)
      throws IOException {
    TestCluster cluster =
        new TestCluster(folder, freePort(), coordinatorOptions, environment, workerEnvironment);
    try {
      cluster.startCoordinator();
      cluster.startWorker();
      cluster.client = BitloomClient.builder(cluster.address()).build();
      cluster.await("a model", () -> !cluster.client.listModels().isEmpty());
      return cluster;
    } catch (IOException | RuntimeException | AssertionError e) {
      cluster.close();
      throw e;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Starts a coordinator on the data and the port of the one before; waits until it is ready. */
  void startCoordinator() throws IOException {
    Path ports = folder.resolve("ports.json");
    Files.deleteIfExists(ports);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "coordinator",
                "--data=" + folder.resolve("data"),
                "--grpc-port=" + port,
                "--http-port=0",
                "--ports-file=" + ports,
                "--lease-duration=4s",
                "--heartbeat-interval=1s"));
    arguments.addAll(coordinatorOptions);
    coordinator = add("coordinator", arguments, environment);
    await("the coordinator's ports", () -> Files.exists(ports));
  }

  BitloomProcess startWorker() throws IOException {
    return add("worker", List.of("worker", "--coordinator=" + address()), workerEnvironment);
  }

  private BitloomProcess add(String name, List<String> arguments, Map<String, String> environment)
      throws IOException {
    BitloomProcess process =
        BitloomProcess.start(folder, name + "-" + processes.size(), arguments, environment);
    processes.add(process);
    return process;
  }

  BitloomProcess coordinator() {
    return coordinator;
  }

  /** The worker that was started last. */
  BitloomProcess worker() {
    return processes.stream()
        .filter(process -> process != coordinator)
        .reduce((first, last) -> last)
        .orElseThrow();
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  /** Where the coordinator's pages are. */
  String pages() throws IOException {
    String ports = Files.readString(folder.resolve("ports.json"));
    return "127.0.0.1:" + JsonParser.parseString(ports).getAsJsonObject().get("http").getAsInt();
  }

  BitloomClient client() {
    return client;
  }

  /** Submits small prompts in several shapes. */
  Job submit(int prompts) {
    Job job = client.createJob(Job.getDefaultInstance(), UUID.randomUUID().toString());
    client.append(
        job.getName(),
        0,
        IntStream.range(0, prompts).mapToObj(TestCluster::prompt).iterator(),
        acknowledged -> {});
    return client.seal(job.getName(), prompts);
  }

  private static Prompt prompt(int i) {
    return Prompt.newBuilder()
        .setCustomId("id-" + i)
        .setPrompt("picture number " + i)
        .setAspectRatio(RATIOS.get(i % RATIOS.size()))
        .setSize("0.06M")
        .setSeed(i)
        .build();
  }

  /** Waits until some prompts of a job are done, and makes sure that others are not. */
  void awaitMiddle(Job job, int done) {
    await(done + " results", () -> succeeded(job) >= done);
    assertTrue(
        succeeded(job) < client.getJob(job.getName()).getCounts().getAppended(),
        "the job was over before anything could be killed");
  }

  private long succeeded(Job job) {
    return client.getJob(job.getName()).getCounts().getSucceeded();
  }

  /** Reads a job's results to its end; every prompt must have exactly one, with an image. */
  List<PromptResult> exactlyOneResultForEachPrompt(Job job, int prompts) {
    List<PromptResult> results = new ArrayList<>();
    try (ResumingStream<ReadResultsResponse> stream = client.followResults(job.getName(), "")) {
      stream.forEachRemaining(response -> results.add(response.getResult()));
    }
    assertEquals(
        IntStream.range(0, prompts).mapToObj(i -> (long) i).toList(),
        results.stream().map(PromptResult::getOffset).sorted().toList());
    for (PromptResult result : results) {
      assertEquals("id-" + result.getOffset(), result.getCustomId());
      assertEquals(1, result.getImages().getImagesCount(), result::toString);
    }
    return results;
  }

  /** Waits for something that has to come; a process that ended is in the message. */
  void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline || !coordinator.isAlive()) {
        StringBuilder said = new StringBuilder("waited for " + what);
        processes.forEach(process -> said.append("\n----\n").append(process.said()));
        throw new AssertionError(said);
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted while waiting for " + what, e);
      }
    }
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
    }
    for (int i = processes.size() - 1; i >= 0; i--) {
      processes.get(i).close();
    }
  }
}
