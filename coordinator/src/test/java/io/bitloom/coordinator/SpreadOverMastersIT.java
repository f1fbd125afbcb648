package io.bitloom.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.config.RedisConfig;
import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.PromptStatus;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One job of one bucket on a Redis Cluster, with all that is between callers and workers. */
class SpreadOverMastersIT {

  private static final int PROMPTS = 30_000;
  private static final Pattern EVALS = Pattern.compile("cmdstat_evalsha:calls=(\\d+)");

  @TempDir Path folder;
  private RedisServers servers;
  private TestCoordinator coordinator;

  @BeforeEach
  void open() throws Exception {
    servers = new RedisServers(folder.resolve("redis"));
    String cluster = servers.startCluster(3);
    coordinator =
        TestCoordinator.start(
            folder.resolve("data"), new RedisConfig(cluster, "test", Optional.empty(), 0, 6));
  }

  @AfterEach
  void close() {
    coordinator.close();
    servers.close();
  }

  @Test
  void oneJobOfOneBucketUsesAllMasters() throws Exception {
    coordinator.announce("drawn", "0.06M");
    Map<Integer, Long> before = scriptsOfMasters();
    Job job = coordinator.newJob();
    List<Prompt> prompts = TestCoordinator.prompts(1000, "1:1");
    for (int offset = 0; offset < PROMPTS; offset += prompts.size()) {
      coordinator.append(job.getName(), offset, prompts);
    }
    coordinator.seal(job.getName());
    assertEquals(1, cluster().getBucketsCount(), "shards are not shown");
    assertEquals(PROMPTS, cluster().getBuckets(0).getPrompts());
    firstOfTheListAreTheFirstOfTheJob(job.getName());
    for (String id : List.of("one", "two")) {
      coordinator.worker(
          id, FakeBehaviour.DEFAULT.withModel("drawn", "0.06M").withBatch(64, Duration.ZERO));
    }
    TestCoordinator.awaitTrue(
        "the job has ended",
        () -> coordinator.job(job.getName()).getState() == JobState.JOB_STATE_SUCCEEDED);
    Set<Long> offsets = new HashSet<>();
    for (PromptResult result : coordinator.results(job.getName())) {
      assertTrue(offsets.add(result.getOffset()));
    }
    assertEquals(PROMPTS, offsets.size());
    sharesAreAlike(before, scriptsOfMasters());
  }

  @Test
  void whoWatchesAJobHearsOfAllItsParts() throws Exception {
    coordinator.announce("drawn", "0.06M");
    Job job = coordinator.newJob();
    coordinator.append(job.getName(), 0, TestCoordinator.prompts(6 * 1024, "1:1"));
    coordinator.seal(job.getName());
    Iterator<WatchJobResponse> watch =
        coordinator
            .batch()
            .watchJob(WatchJobRequest.newBuilder().setName(job.getName()).setPrompts(true).build());
    coordinator.worker(
        "one", FakeBehaviour.DEFAULT.withModel("drawn", "0.06M").withBatch(64, Duration.ZERO));
    Set<Long> told = new HashSet<>();
    while (watch.hasNext()) {
      WatchJobResponse next = watch.next();
      if (next.hasPrompt()) {
        assertTrue(told.add(next.getPrompt().getOffset()));
      }
    }
    assertEquals(6 * 1024, told.size());
  }

  private GetClusterResponse cluster() {
    return ClusterServiceGrpc.newBlockingStub(coordinator.channel())
        .getCluster(GetClusterRequest.getDefaultInstance());
  }

  private void firstOfTheListAreTheFirstOfTheJob(String name) {
    List<PromptStatus> listed =
        coordinator
            .batch()
            .listPrompts(ListPromptsRequest.newBuilder().setName(name).setPageSize(50).build())
            .getPromptsList();
    for (int i = 0; i < 50; i++) {
      assertEquals(i, listed.get(i).getOffset());
    }
  }

  private Map<Integer, Long> scriptsOfMasters() throws InterruptedException {
    Map<Integer, Long> scripts = new HashMap<>();
    for (int port : servers.ports()) {
      servers.await(
          port,
          redis -> {
            Matcher calls = EVALS.matcher(redis.info("commandstats"));
            scripts.put(port, calls.find() ? Long.parseLong(calls.group(1)) : 0);
            return true;
          });
    }
    return scripts;
  }

  private static void sharesAreAlike(Map<Integer, Long> before, Map<Integer, Long> after) {
    long all = 0;
    for (int port : after.keySet()) {
      all += after.get(port) - before.get(port);
    }
    for (int port : after.keySet()) {
      double share = (double) (after.get(port) - before.get(port)) / all;
      assertTrue(share > 0.2, "of all scripts one of three masters ran " + share);
    }
  }
}
