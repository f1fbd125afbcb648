package io.bitloom.coordinator.http;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.externalscaler.ExternalScalerGrpc;
import io.bitloom.externalscaler.ScaledObjectRef;
import io.bitloom.v1.Job;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

class MetricsIT {

  /** A prompt whose worker is lost has failed at once. */
  private static final LeaseConfig ONE_ATTEMPT =
      new LeaseConfig(Duration.ofSeconds(2), Duration.ofMillis(300), Duration.ofMillis(100), 1);

  private static final Pattern NAME = Pattern.compile("\\bbitloom_[a-z_]+\\b");

  @TempDir static Path directory;
  private static TestCoordinator coordinator;
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    coordinator =
        TestCoordinator.start(directory, TestRedis.uri(), "test-" + UUID.randomUUID(), ONE_ATTEMPT);
    coordinator.announce("fake", "0.06M");
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  @Test
  void workThatWaitsIsSeenAndSoIsTheWorkerThatComesAndIsLost() throws Exception {
    Job waiting = coordinator.submit(prompts(3));
    coordinator.newJob();
    has("bitloom_workers 0.0");
    has("bitloom_model_workers{model=\"fake\"} 0.0");
    has("bitloom_queue_prompts{model=\"fake\",schedule=\"1.0_0.06M\"} 3.0");
    has("bitloom_jobs{state=\"QUEUED\"} 1.0");
    has("bitloom_jobs{state=\"ACCEPTING\"} 1.0");
    has("bitloom_jobs{state=\"RUNNING\"} 0.0");
    has("bitloom_failures_total{reason=\"WORKER_LOST\"} 0.0");

    FakeWorker slow =
        coordinator.worker("slow", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMinutes(5)));
    awaitTrue(
        "it holds all", () -> coordinator.job(waiting.getName()).getCounts().getRunning() == 3);
    has("bitloom_workers 1.0");
    has("bitloom_model_workers{model=\"fake\"} 1.0");
    has("bitloom_jobs{state=\"RUNNING\"} 1.0");

    slow.kill();
    coordinator.results(waiting.getName());
    has("bitloom_workers 0.0");
    has("bitloom_failures_total{reason=\"WORKER_LOST\"} 3.0");
    has("bitloom_jobs{state=\"RUNNING\"} 0.0");
  }

  @Test
  void everyMetricIsDocumentedAndAlertsUseNoOther() throws Exception {
    FakeBehaviour.Troubles refusing = new FakeBehaviour.Troubles(0, 1, 0, 1);
    try (FakeWorker worker = coordinator.worker("w", FakeBehaviour.DEFAULT)) {
      coordinator.results(coordinator.submit(prompts(2)).getName());
      assertTrue(worker.batches() > 0);
    }
    try (FakeWorker worker = coordinator.worker("x", FakeBehaviour.DEFAULT.with(refusing))) {
      coordinator.results(coordinator.submit(prompts(2)).getName());
      assertTrue(worker.batches() > 0);
    }
    has("bitloom_failures_total{reason=\"OTHER\"} 2.0"); // a worker may say anything
    ExternalScalerGrpc.newBlockingStub(coordinator.calls())
        .isActive(ScaledObjectRef.getDefaultInstance());

    Set<String> exported =
        scrape()
            .lines()
            .filter(line -> line.startsWith("# TYPE bitloom_"))
            .map(line -> line.split(" ")[2])
            .filter(name -> !name.endsWith("_max"))
            .collect(Collectors.toCollection(TreeSet::new));
    String page = Files.readString(Path.of("..", "docs", "reference", "metrics.md"));
    assertEquals(exported, names(page.substring(0, page.indexOf("## Of a worker"))));

    Set<String> alerted = new TreeSet<>();
    for (Map<String, Object> rule : rules()) {
      assertTrue(
          rule.keySet().containsAll(Set.of("alert", "expr", "for", "labels", "annotations")),
          rule.toString());
      Set<String> used = names(rule.get("expr").toString().replaceAll("_(bucket|count)\\{", "{"));
      assertTrue(exported.containsAll(used), rule.get("alert") + " uses one of " + used);
      alerted.addAll(used);
    }
    assertTrue(alerted.contains("bitloom_model_workers"), alerted.toString());
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> rules() throws IOException {
    Path file = Path.of("..", "deploy", "prometheus", "bitloom-alerts.yaml");
    Map<String, List<Map<String, Object>>> yaml = new Yaml().load(Files.readString(file));
    assertEquals(Set.of("groups"), yaml.keySet());
    return (List<Map<String, Object>>) yaml.get("groups").get(0).get("rules");
  }

  private static Set<String> names(String text) {
    return NAME.matcher(text)
        .results()
        .map(found -> found.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void has(String line) throws Exception {
    String metrics = scrape();
    assertTrue(metrics.contains("\n" + line + "\n"), line + " is not in\n" + metrics);
  }

  private String scrape() throws Exception {
    return http.send(
            HttpRequest.newBuilder(URI.create(coordinator.http("/metrics"))).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }
}
