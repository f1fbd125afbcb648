package io.bitloom.loadtests.chaos;

import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.loadtests.process.Distribution;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;

/** Coordinators, workers and their Redis as processes, and the ways in which they are broken. */
final class ChaosCluster implements AutoCloseable {

  private static final String WORKER_TOKEN = "worker-token";

  private final Path folder;
  private final ChaosPlan plan;
  private final Optional<Distribution> older;
  private final Random chance;
  private final ChaosRedis redis;
  private final List<TenantPrompts.Tenant> tenants;
  private final List<Integer> ports = new ArrayList<>();
  private final List<FlakyProxy> proxies = new ArrayList<>();
  private final List<Distribution> versions = new ArrayList<>();
  private final List<CoordinatorProcess> coordinators = new ArrayList<>();
  private final List<FakeWorkerProcess> workers = new ArrayList<>();
  private int workersStarted;

  /**
   * @param older the version of the workers and of the first coordinator
   */
  ChaosCluster(
      Path folder, ChaosPlan plan, Optional<Distribution> older, List<TenantPrompts.Tenant> tenants)
      throws Exception {
    this.folder = folder;
    this.plan = plan;
    this.older = older;
    this.tenants = tenants;
    this.chance = new Random(plan.seed());
    this.redis =
        plan.redisCluster()
            ? new ChaosRedisCluster(folder, chance)
            : new EmbeddedChaosRedis(folder, this::embeddedRedis);
    Files.writeString(folder.resolve("tenants.json"), tenantsFile());
    for (int i = 0; i < plan.coordinators(); i++) {
      ports.add(freePort());
      proxies.add(new FlakyProxy(ports.get(i)));
      versions.add(i == 0 ? older.orElseGet(Distribution::here) : Distribution.here());
      coordinators.add(startCoordinator(i));
      if (i == 0 && older.isPresent()) { // else one of now would find no data, and make new ones
        coordinators.get(0).awaitReady();
      }
    }
    for (CoordinatorProcess coordinator : coordinators) {
      coordinator.awaitReady();
    }
    for (int i = 0; i < plan.workers(); i++) {
      workers.add(startWorker());
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private String tenantsFile() {
    List<String> entries = new ArrayList<>();
    tenants.forEach(
        tenant -> entries.add(entry(tenant.name(), tenant.weight(), tenant.token(), "client")));
    entries.add(entry("workers", 1, WORKER_TOKEN, "worker"));
    return "{\"tenants\": [" + String.join(", ", entries) + "]}";
  }

  private static String entry(String name, double weight, String token, String role) {
    return String.format(
        Locale.ROOT,
        "{\"name\": \"%s\", \"weight\": %s, \"tokens\": [{\"sha256\": \"%s\", \"roles\": [\"%s\"]}]}",
        name,
        weight,
        sha256(token),
        role);
  }

  private static String sha256(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private CoordinatorProcess startCoordinator(int i) throws IOException {
    List<String> options =
        new ArrayList<>(
            List.of(
                "--tenants=" + folder.resolve("tenants.json"),
                "--lease-duration=4s",
                "--heartbeat-interval=1s",
                "--reconnect-grace=1s",
                "--max-attempts=100",
                "--no-fsync-results"));
    options.addAll(redis.options());
    options.addAll(plan.coordinatorOptions());
    return CoordinatorProcess.start(
        versions.get(i), folder, "coordinator-" + i, ports.get(i), options);
  }

  private FakeWorkerProcess startWorker() throws IOException {
    int number = workersStarted++;
    List<String> targets = new ArrayList<>(targets());
    Collections.rotate(targets, number);
    return FakeWorkerProcess.start(
        older.orElseGet(Distribution::here),
        folder,
        "worker-" + number,
        List.of(
            "--coordinator=" + String.join(",", targets),
            "--token=" + WORKER_TOKEN,
            "--batch-time=" + plan.batchTime().toMillis() + "ms",
            "--failure-rate=0.01",
            "--refusal-rate=0.02",
            "--crash-rate=0.01",
            "--seed=" + number));
  }

  /** Where clients and workers connect: to proxies before the coordinators. */
  List<String> targets() {
    return proxies.stream().map(FlakyProxy::target).toList();
  }

  private String embeddedRedis() {
    return coordinators.get(0).redis();
  }

  /** Its Redis, when all coordinators are up again. */
  ChaosRedis redis() throws Exception {
    for (CoordinatorProcess coordinator : coordinators) {
      coordinator.awaitReady();
      coordinator.requireAlive();
    }
    return redis;
  }

  /** Breaks something; what was killed is started again at once. */
  String trouble() throws Exception {
    int what = chance.nextInt(12);
    if (what < 4) {
      int i = chance.nextInt(workers.size());
      workers.get(i).kill();
      workers.set(i, startWorker());
      return "kill -9 of a worker";
    }
    if (what < 8) {
      proxies.get(chance.nextInt(proxies.size())).cutOne(chance);
      return "a connection cut";
    }
    if (what < 10) {
      FakeWorkerProcess worker = workers.get(chance.nextInt(workers.size()));
      worker.signal("STOP");
      Thread.sleep(chance.nextInt(3) == 0 ? 6000 : chance.nextInt(1500));
      worker.signal("CONT");
      return "a worker stalled";
    }
    if (what < 11) {
      int i = chance.nextInt(coordinators.size());
      coordinators.get(i).kill();
      coordinators.set(i, startCoordinator(i));
      return "kill -9 of a coordinator";
    }
    killRedis();
    return "kill -9 of Redis";
  }

  /** It comes back by itself. */
  void killRedis() throws Exception {
    redis.kill();
  }

  /** Kills one, and starts one of this version in its place. */
  void replaceCoordinator(int i) throws IOException {
    coordinators.get(i).kill();
    versions.set(i, Distribution.here());
    coordinators.set(i, startCoordinator(i));
  }

  @Override
  public void close() throws Exception {
    for (FakeWorkerProcess worker : workers) {
      worker.kill();
    }
    for (FlakyProxy proxy : proxies) {
      proxy.close();
    }
    for (CoordinatorProcess coordinator : coordinators) {
      coordinator.close();
    }
    redis.close();
  }
}
