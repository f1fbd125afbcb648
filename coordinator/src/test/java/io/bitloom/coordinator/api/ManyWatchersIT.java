package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many watchers of one job at one coordinator. */
class ManyWatchersIT {

  private static final int WATCHERS = 20;
  private static final int PROMPTS = 150;

  /** By these jobs and outcomes are read. */
  private static final Pattern READS = Pattern.compile("cmdstat_(?:hgetall|lrange):calls=(\\d+)");

  @TempDir Path directory;

  @Test
  void costRedisAsOneAndEachHearsOfEveryPrompt() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory.resolve("redis"));
        TestCoordinator coordinator =
            TestCoordinator.start(
                directory.resolve("data"), redis.uri(), "test", LeaseConfig.DEFAULTS)) {
      coordinator.announce("fake", "0.06M");
      RedisClient client = RedisClient.create(redis.uri());
      try (StatefulRedisConnection<String, String> connection = client.connect()) {
        long ofOne = reads(coordinator, connection.sync(), 1);
        long ofMany = reads(coordinator, connection.sync(), WATCHERS);
        assertTrue(ofOne > 0);
        // Each finds its job once when it comes; what they read after that they read together.
        long together = ofMany - WATCHERS;
        assertTrue(together < 2 * ofOne + 10, together + " reads for many, " + ofOne + " for one");
      } finally {
        client.shutdown();
      }
    }
  }

  /** Reads of a job and its outcomes while it is drawn, batch by batch. */
  private static long reads(
      TestCoordinator coordinator, RedisCommands<String, String> redis, int watchers)
      throws Exception {
    Job job = coordinator.submit(prompts(PROMPTS));
    ExecutorService threads = Executors.newFixedThreadPool(watchers);
    try {
      redis.configResetstat();
      List<CompletableFuture<List<Long>>> told = new ArrayList<>();
      for (int i = 0; i < watchers; i++) {
        Iterator<WatchJobResponse> watch =
            coordinator
                .batch()
                .watchJob(
                    WatchJobRequest.newBuilder().setName(job.getName()).setPrompts(true).build());
        watch.next(); // it is there before anything is drawn
        told.add(CompletableFuture.supplyAsync(() -> toEnd(watch), threads));
      }
      try (FakeWorker worker =
          FakeWorker.start(
              coordinator.target(),
              "w" + watchers,
              FakeBehaviour.DEFAULT.withBatch(10, Duration.ofMillis(100)))) {
        for (CompletableFuture<List<Long>> offsets : told) {
          assertEquals(
              LongStream.range(0, PROMPTS).boxed().toList(),
              offsets.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS).stream()
                  .sorted()
                  .toList());
        }
      }
      return READS
          .matcher(redis.info("commandstats"))
          .results()
          .mapToLong(read -> Long.parseLong(read.group(1)))
          .sum();
    } finally {
      threads.shutdownNow();
    }
  }

  /** The prompts of which a watcher hears until the job has ended. */
  private static List<Long> toEnd(Iterator<WatchJobResponse> watch) {
    List<Long> offsets = new ArrayList<>();
    JobState last = JobState.JOB_STATE_UNSPECIFIED;
    while (watch.hasNext()) {
      WatchJobResponse response = watch.next();
      if (response.hasPrompt()) {
        offsets.add(response.getPrompt().getOffset());
      } else if (response.hasJob()) {
        last = response.getJob().getState();
      }
    }
    assertEquals(JobState.JOB_STATE_SUCCEEDED, last);
    return offsets;
  }
}
