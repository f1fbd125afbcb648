package io.bitloom.coordinator.http;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.redis.TestRedis;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Queue and jobs are those of the cluster: of several coordinators one tells of them. */
class ClusterNumbersIT {

  private final HttpClient http = HttpClient.newHttpClient();
  private final String namespace = "test-" + UUID.randomUUID();

  @TempDir Path directory;

  @Test
  void aSumOverCoordinatorsCountsNothingTwiceAndOneThatStopsIsFollowedAtOnce() throws Exception {
    TestCoordinator first = coordinator("a");
    try (TestCoordinator second = coordinator("b")) {
      first.announce("fake", "0.06M");
      first.submit(prompts(3));
      for (int scrape = 0; scrape < 3; scrape++) {
        assertTrue(scrape(first).contains("\nbitloom_queue_prompts{"));
        assertFalse(scrape(second).contains("bitloom_queue_prompts{"));
        assertEquals(3, sum("bitloom_queue_prompts", first, second));
        assertEquals(1, sum("bitloom_jobs", first, second));
        assertEquals(2, sum("bitloom_redis_up", first, second));
      }

      first.close();
      assertEquals(3, sum("bitloom_queue_prompts", second));
      assertEquals(1, sum("bitloom_jobs", second));
    }
  }

  @Test
  void oneThatIsNotScrapedAnyMoreIsFollowedSoon() throws Exception {
    try (TestCoordinator first = coordinator("a");
        TestCoordinator second = coordinator("b")) {
      scrape(first);
      scrape(first); // it has seen by now that it is scraped often
      assertEquals(0, scrape(second).lines().filter(this::isOfJobs).count());
      awaitTrue("the other tells of jobs", () -> sum("bitloom_jobs", second) == 0 && tells(second));
    }
  }

  private boolean tells(TestCoordinator coordinator) {
    return scrape(coordinator).lines().anyMatch(this::isOfJobs);
  }

  private boolean isOfJobs(String line) {
    return line.startsWith("bitloom_jobs{");
  }

  private TestCoordinator coordinator(String name) throws Exception {
    return TestCoordinator.start(
        directory.resolve(name), TestRedis.uri(), namespace, TestCoordinator.QUICK_LEASES);
  }

  private double sum(String metric, TestCoordinator... coordinators) {
    return Stream.of(coordinators)
        .flatMap(coordinator -> scrape(coordinator).lines())
        .filter(line -> line.startsWith(metric + "{") || line.startsWith(metric + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  private String scrape(TestCoordinator coordinator) {
    return http.sendAsync(
            HttpRequest.newBuilder(URI.create(coordinator.http("/metrics"))).build(),
            HttpResponse.BodyHandlers.ofString())
        .join()
        .body();
  }
}
