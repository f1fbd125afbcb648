package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.v1.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Dashboard, alerts and the page of metrics, held against a real run that Prometheus scraped. */
class DashboardIT {

  private static final boolean WRITE = Boolean.getBoolean("bitloom.write.docs");
  private static final Duration SCRAPE = Duration.ofSeconds(1);
  private static final int DRAWN = WRITE ? 12 : 6;
  private static final int FAKED = WRITE ? 200 : 120;
  private static final String RATE = WRITE ? "8s" : "5s";
  private static final Pattern NAME = Pattern.compile("`(bitloom_worker_[a-z_]+)`");

  /** Metrics of a worker that come when something happens that does not happen here. */
  private static final Set<String> SELDOM =
      Set.of("bitloom_worker_failures_total", "bitloom_worker_rewrites_total");

  @TempDir static Path folder;
  private static WatchedCluster cluster;
  private static Prometheus prometheus;
  private static Instant from;
  private static Instant to;

  @BeforeAll
  static void runAndScrape() throws Exception {
    Installed.assume("prometheus", "prometheus");
    cluster = new WatchedCluster(folder);
    prometheus = Prometheus.start(folder, SCRAPE, cluster.targets(), WatchedCluster.OPERATOR);
    WatchedCluster.await(
        "a first scrape",
        () -> prometheus.now("sum(up)").stream().anyMatch(all -> all.points().get(0)[1] == 3));
    from = Instant.now();
    draw(WRITE ? 9 : 1);
    Thread.sleep(2 * SCRAPE.toMillis()); // what was counted last has been scraped
    to = Instant.now();
  }

  /**
   * Both tenants have pictures drawn.
   *
   * @param times how much of it
   */
  private static void draw(int times) throws Exception {
    try (BitloomClient studio = cluster.client("studio");
        BitloomClient shop = cluster.client("shop")) {
      Job drawn = WatchedCluster.submit(studio, WatchedCluster.DRAWN, DRAWN * times);
      List<Job> fake = new ArrayList<>();
      for (int i = 0; i < times; i++) {
        fake.add(WatchedCluster.submit(i % 3 == 2 ? studio : shop, WatchedCluster.FAKE, FAKED));
        for (int calls = 0; calls < (WRITE ? 2 : 1); calls++) {
          WatchedCluster.generate(studio);
        }
        if (i % 2 == 1) {
          Thread.sleep(WRITE ? 3000 : 0);
        }
      }
      assertEquals(DRAWN * times, WatchedCluster.results(studio, drawn));
      for (int i = 0; i < times; i++) {
        assertEquals(FAKED, WatchedCluster.results(i % 3 == 2 ? studio : shop, fake.get(i)));
      }
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (prometheus != null) {
      prometheus.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void everyPanelOfTheDashboardHasData() throws Exception {
    List<String> empty = new ArrayList<>();
    for (Dashboard.Panel panel : panels()) {
      for (Dashboard.Query query : panel.queries()) {
        List<Prometheus.Series> all = prometheus.range(query.expr(), from, to);
        if (all.stream().noneMatch(Prometheus.Series::hasNumbers)) {
          empty.add(panel.title() + ": " + query.expr());
        }
      }
    }
    assertEquals(List.of(), empty);
    if (WRITE) {
      DashboardPicture.write(panels(), prometheus, from, to, folder);
    }
  }

  @Test
  void everyVariableOfTheDashboardHasValues() throws Exception {
    Dashboard dashboard = Dashboard.read();
    Pattern values = Pattern.compile("label_values\\((\\w+), (\\w+)\\)");
    for (String name : List.of("model", "worker")) {
      var asked = values.matcher(dashboard.variable(name).get("definition").getAsString());
      assertTrue(asked.matches());
      assertTrue(
          prometheus.now(asked.group(1)).stream()
              .anyMatch(series -> series.labels().containsKey(asked.group(2))),
          name);
    }
  }

  @Test
  void panelsDoNotLieUponEachOther() throws Exception {
    Set<String> taken = new TreeSet<>();
    for (Dashboard.Panel panel : panels()) {
      Dashboard.Place place = panel.place();
      assertTrue(place.x() + place.w() <= 24, panel.title());
      for (int x = place.x(); x < place.x() + place.w(); x++) {
        for (int y = place.y(); y < place.y() + place.h(); y++) {
          assertTrue(taken.add(x + "/" + y), panel.title() + " lies upon another one");
        }
      }
    }
  }

  @Test
  void theClustersNumbersAreThereOnce() throws Exception {
    for (String metric : List.of("bitloom_jobs{state=\"RUNNING\"}", "bitloom_queue_prompts")) {
      for (Prometheus.Series count :
          prometheus.range("max(count by (model, schedule) (" + metric + "))", from, to)) {
        count.points().forEach(point -> assertEquals(1, point[1], metric));
      }
    }
  }

  @Test
  void prometheusUnderstandsAllAlertsAndNoneWokeAnybody() throws Exception {
    Set<String> known = new TreeSet<>();
    for (JsonElement group : prometheus.rules().getAsJsonArray("groups")) {
      for (JsonElement element : group.getAsJsonObject().getAsJsonArray("rules")) {
        JsonObject rule = element.getAsJsonObject();
        String name = rule.get("name").getAsString();
        known.add(name);
        assertEquals("ok", rule.get("health").getAsString(), rule::toString);
        assertFalse(rule.get("state").getAsString().equals("firing"), rule::toString);
      }
    }
    assertEquals(
        AlertRules.all().stream()
            .map(AlertRules.Rule::alert)
            .collect(Collectors.toCollection(TreeSet::new)),
        known);
  }

  @Test
  void everyMetricOfAWorkerIsDocumented() throws Exception {
    Set<String> exported =
        cluster
            .workerMetrics()
            .lines()
            .filter(line -> line.startsWith("# TYPE bitloom_"))
            .map(line -> line.split(" ")[2])
            .filter(name -> !name.endsWith("_max"))
            .collect(Collectors.toCollection(TreeSet::new));
    exported.addAll(SELDOM);
    String page = Files.readString(Installed.HOME.resolve("docs/reference/metrics.md"));

    assertEquals(
        exported,
        NAME.matcher(page.substring(page.indexOf("## Of a worker")))
            .results()
            .map(found -> found.group(1))
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  private static List<Dashboard.Panel> panels() throws Exception {
    long seconds = Duration.between(from, to).toSeconds() + 1;
    return Dashboard.read().panels(RATE, seconds + "s");
  }
}
