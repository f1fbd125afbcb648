package io.bitloom.deploy;

import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.coordinator.CoordinatorProcess;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Two coordinators, a worker that draws with the built-in model, one that only says so and fails
 * now and then, and two tenants.
 */
final class WatchedCluster implements AutoCloseable {

  /** Of the worker that draws. */
  static final String DRAWN = "demo";

  /** Of the one that does not. */
  static final String FAKE = "fake";

  static final String OPERATOR = "operator-token";
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final List<String> RATIOS = List.of("1:1", "3:2", "9:16");

  private final HttpClient http = HttpClient.newHttpClient();
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final List<String> coordinators;
  private final String worker;
  private final String address;

  WatchedCluster(Path folder) throws Exception {
    boolean started = false;
    try {
      Path tenants = folder.resolve("tenants.json");
      Files.writeString(tenants, tenants());
      List<JsonObject> ports = new ArrayList<>();
      for (CoordinatorProcess process :
          List.of(coordinator(folder, "a", tenants), coordinator(folder, "b", tenants))) {
        ports.add(process.ports());
      }
      List<String> addresses = addresses(ports, "grpc");
      coordinators = addresses(ports, "http");
      address = addresses.get(0);
      worker = "127.0.0.1:" + freePort();
      parts.push(startWorker(folder, String.join(",", addresses)));
      parts.push(
          FakeWorker.start(
              addresses,
              Optional.of("worker-token"),
              "fake",
              FakeBehaviour.DEFAULT
                  .withBatch(8, Duration.ofMillis(250))
                  .with(new FakeBehaviour.Troubles(0.05, 0.02, 0, 1)),
              (lease, tasks, waitNanos) -> {}));
      try (BitloomClient client = client("studio")) {
        await(
            "both models",
            () ->
                client.listModels().stream()
                    .filter(model -> model.getWorkers() > 0)
                    .map(model -> model.getName())
                    .collect(Collectors.toSet())
                    .equals(Set.of(DRAWN, FAKE)));
      }
      started = true;
    } finally {
      if (!started) {
        close();
      }
    }
  }

  private static String tenants() {
    String client =
        "{\"name\": \"%s\", \"tokens\": [{\"sha256\": \"%s\", \"roles\": [\"client\"]}]}";
    return String.format(
        Locale.ROOT,
        """
        {"tenants": [%s, %s,
          {"name": "ops", "tokens": [
            {"sha256": "%s", "roles": ["operator"]}, {"sha256": "%s", "roles": ["worker"]}]}]}
        """,
        String.format(Locale.ROOT, client, "studio", sha256("studio-token")),
        String.format(Locale.ROOT, client, "shop", sha256("shop-token")),
        sha256(OPERATOR),
        sha256("worker-token"));
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** They share Redis and images. */
  private CoordinatorProcess coordinator(Path folder, String name, Path tenants)
      throws IOException {
    Path own = Files.createDirectory(folder.resolve(name));
    CoordinatorProcess process =
        CoordinatorProcess.launch(
            own,
            List.of("-Xmx512m"),
            List.of(
                "--data=" + folder.resolve("data"),
                "--share-data",
                "--grpc-port=0",
                "--http-port=0",
                "--ports-file=" + own.resolve("ports.json"),
                "--tenants=" + tenants));
    parts.push(process);
    return process;
  }

  private static List<String> addresses(List<JsonObject> ports, String door) {
    return ports.stream().map(all -> "127.0.0.1:" + all.get(door).getAsInt()).toList();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private AutoCloseable startWorker(Path folder, String addresses) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Installed.HOME.resolve("bitloom").toString(),
            "worker",
            "--coordinator=" + addresses,
            "--token=worker-token",
            "--worker-id=drawing",
            "--http-port=" + worker.substring(worker.indexOf(':') + 1),
            "--exit-on-stdin-close");
    builder.environment().put("BITLOOM_BUILD", "never");
    Process process =
        builder
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("worker.log").toFile())
            .start();
    return () -> {
      process.getOutputStream().close();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    };
  }

  /** What Prometheus scrapes. */
  Map<String, List<String>> targets() {
    return Map.of("bitloom", coordinators, "bitloom-workers", List.of(worker));
  }

  /** All metrics of the worker that draws. */
  String workerMetrics() throws Exception {
    return http.send(
            HttpRequest.newBuilder(URI.create("http://" + worker + "/metrics")).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  BitloomClient client(String tenant) {
    return BitloomClient.builder(address).token(tenant + "-token").insecure(true).build();
  }

  /** A job of small pictures in some shapes. */
  static Job submit(BitloomClient client, String model, int prompts) {
    Job job =
        client.createJob(Job.newBuilder().setModel(model).build(), UUID.randomUUID().toString());
    client.append(
        job.getName(),
        0,
        IntStream.range(0, prompts).mapToObj(WatchedCluster::prompt).iterator(),
        acknowledged -> {});
    return client.seal(job.getName(), prompts);
  }

  private static Prompt prompt(int i) {
    return Prompt.newBuilder()
        .setPrompt("a cake in front of a beach, number " + i)
        .setAspectRatio(RATIOS.get(i % RATIOS.size()))
        .setSize("0.06M")
        .setSeed(i)
        .build();
  }

  /** Reads all results of a job, up to its end. Returns how many came. */
  static int results(BitloomClient client, Job job) {
    int n = 0;
    try (ResumingStream<ReadResultsResponse> stream = client.followResults(job.getName(), "")) {
      while (stream.hasNext()) {
        stream.next();
        n++;
      }
    }
    return n;
  }

  /** Draws one picture for somebody who waits. */
  static void generate(BitloomClient client) {
    GenerateRequest request =
        GenerateRequest.newBuilder()
            .setModel(DRAWN)
            .setPrompt(prompt(0).toBuilder().clearSeed())
            .build();
    try (ResumingStream<GenerateResponse> stream = client.generate(request)) {
      stream.forEachRemaining(response -> {});
    }
  }

  /** Something that comes to be. */
  interface Condition {
    boolean holds() throws Exception;
  }

  static void await(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("waited in vain for " + what);
      }
      Thread.sleep(50);
    }
  }

  @Override
  public void close() throws Exception {
    while (!parts.isEmpty()) {
      parts.pop().close();
    }
  }
}
