package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Task;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two tenants over several buckets: what workers draw of each while both wait. */
class TenantSharesIT {

  private static final double TOLERANCE = 0.1;
  private static final int FLOOD = 3000;
  private static final int SMALL = 600;

  @TempDir private Path directory;

  @Test
  void aTenantOfWeightTwoGetsTwoThirdsHoweverManyBucketsAnotherFloods() throws Exception {
    Path tenants =
        Files.writeString(
            directory.resolve("tenants.json"),
            String.format(
                Locale.ROOT,
                """
                {"tenants": [
                  {"name": "flood", "tokens": [{"sha256": "%s", "roles": ["client"]}]},
                  {"name": "small", "weight": 2, "tokens": [{"sha256": "%s", "roles": ["client"]}]},
                  {"name": "ops", "tokens": [{"sha256": "%s", "roles": ["worker"]}]}]}
                """,
                sha256("flood"),
                sha256("small"),
                sha256("gpu")));
    try (TestCoordinator coordinator =
        TestCoordinator.start(
            directory,
            new AccessConfig(Optional.of(tenants), false, false, Optional.empty()),
            LimitsConfig.DEFAULTS,
            Optional.empty())) {
      announce(coordinator);
      submit(coordinator, "flood", prompts(FLOOD, "1:1", "3:2", "2:3", "16:9", "9:16"));
      Job small = submit(coordinator, "small", prompts(SMALL, "3:2", "4:3"));
      Drawn drawn = new Drawn(small.getName());
      try (FakeWorker worker = worker(coordinator, drawn)) {
        double share = drawn.share.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertEquals(2.0 / 3, share, TOLERANCE * 2 / 3);
        assertEquals(1, worker.welcomes());
      }
    }
  }

  /** Adds up the tokens of both tenants until little is left of the small one's. */
  private static final class Drawn implements FakeWorker.LeaseListener {
    private final CompletableFuture<Double> share = new CompletableFuture<>();
    private final String smallJob;
    private int smallPrompts;
    private double small;
    private double all;

    private Drawn(String smallJob) {
      this.smallJob = smallJob;
    }

    @Override
    public void leased(Lease lease, List<Task> tasks, long waitNanos) {
      long tokens = ScaleSchedules.find(lease.getSchedule()).orElseThrow().tokens();
      for (Task task : tasks) {
        all += tokens;
        if (task.getRef().getJob().equals(smallJob)) {
          small += tokens;
          smallPrompts++;
        }
      }
      // The last ones wait in one bucket and not in both.
      if (smallPrompts > SMALL * 3 / 4) {
        share.complete(small / all);
      }
    }
  }

  private static void announce(TestCoordinator coordinator) throws Exception {
    try (FakeWorker worker = worker(coordinator, (lease, tasks, waitNanos) -> {})) {
      TestCoordinator.awaitTrue("worker is welcome", () -> worker.welcomes() > 0);
    }
  }

  private static FakeWorker worker(TestCoordinator coordinator, FakeWorker.LeaseListener listener) {
    return FakeWorker.start(
        List.of(coordinator.target()),
        Optional.of("gpu"),
        "w",
        FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(2)),
        listener);
  }

  private static Job submit(TestCoordinator coordinator, String token, List<Prompt> prompts) {
    return coordinator.withToken(token).submit(prompts);
  }

  private static String sha256(String token) throws Exception {
    byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
