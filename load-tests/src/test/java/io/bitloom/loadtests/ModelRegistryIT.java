package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.client.sdk.ModelClient;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.PoolVersion;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.VersionState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes: models come into the cluster, workers fetch and load them, jobs name them. */
class ModelRegistryIT {

  private static final String POOL = "pool-a";

  @TempDir private Path folder;

  /** The demo model as a directory; versions differ by their descriptions and share files. */
  private Path directory(String description) throws IOException {
    Path demo = ModelDirectory.builtIn(ModelDirectory.DEMO).orElseThrow();
    Path copy = Files.createDirectories(folder.resolve("model-" + description));
    try (Stream<Path> files = Files.list(demo)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    Path json = copy.resolve("model.json");
    Files.writeString(
        json,
        Files.readString(json)
            .replaceFirst(
                "\"description\": *\"[^\"]*\"", "\"description\": \"" + description + "\""));
    return copy;
  }

  private static ModelVersion push(TestCluster cluster, Path directory, String... labels)
      throws IOException {
    return cluster.client().models().push(directory, List.of(labels), (file, bytes, of) -> {});
  }

  private BitloomProcess worker(TestCluster cluster, String cache, String memory)
      throws IOException {
    return cluster.startWorker(
        "--model=none",
        "--pool=" + POOL,
        "--model-cache=" + folder.resolve(cache),
        "--models-memory=" + memory);
  }

  /** Files in a cache. */
  private long blobs(String cache) throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve(cache).resolve("blobs"))) {
      return files.filter(file -> file.getFileName().toString().length() == 64).count();
    }
  }

  private static VersionState state(TestCluster cluster, ModelVersion version) {
    return cluster.client().models().list("").getPoolsList().stream()
        .filter(pool -> pool.getPool().equals(POOL))
        .flatMap(pool -> pool.getStatesList().stream())
        .filter(state -> state.getVersion().equals(version.getName()))
        .map(PoolVersion::getState)
        .findFirst()
        .orElse(VersionState.VERSION_STATE_UNSPECIFIED);
  }

  private static void await(TestCluster cluster, ModelVersion version, VersionState state) {
    cluster.await(version.getName() + " " + state, () -> state(cluster, version) == state);
  }

  private static Job submit(TestCluster cluster, String model, int prompts) {
    Job job =
        cluster
            .client()
            .createJob(Job.newBuilder().setModel(model).build(), UUID.randomUUID().toString());
    cluster
        .client()
        .append(
            job.getName(),
            0,
            IntStream.range(0, prompts)
                .mapToObj(
                    i ->
                        Prompt.newBuilder()
                            .setCustomId("id-" + i)
                            .setPrompt("a red fox on grass")
                            .setSize("0.06M")
                            .setSeed(i)
                            .build())
                .iterator(),
            acknowledged -> {});
    return cluster.client().seal(job.getName(), prompts);
  }

  private static void assertDrawnBy(ModelVersion version, List<PromptResult> results) {
    for (PromptResult result : results) {
      assertEquals(version.getDigest(), result.getProvenance().getModelDigest());
    }
  }

  @Test
  void workersFetchAndLoadWhatTheirPoolIsToHaveAndTheOldestMakesRoom() throws Exception {
    try (TestCluster cluster = TestCluster.startWithoutWorker(folder)) {
      ModelClient models = cluster.client().models();
      ModelVersion first = push(cluster, directory("first"), "latest");
      BitloomProcess worker = worker(cluster, "cache", "1GiB");
      Job waiting = submit(cluster, "demo", 3);
      assertTrue(cluster.client().getJob(waiting.getName()).getWaitsForWorker());
      models.load("demo", POOL);
      await(cluster, first, VersionState.VERSION_STATE_READY);
      assertDrawnBy(first, cluster.exactlyOneResultForEachPrompt(waiting, 3));

      ModelVersion second = push(cluster, directory("second"));
      models.label(second.getName(), "latest");
      Job moved = submit(cluster, "demo", 3);
      models.load("demo", POOL);
      assertDrawnBy(second, cluster.exactlyOneResultForEachPrompt(moved, 3));
      assertEquals(VersionState.VERSION_STATE_READY, state(cluster, first), "both are in memory");
      Job old = submit(cluster, first.getName(), 3);
      assertDrawnBy(first, cluster.exactlyOneResultForEachPrompt(old, 3));

      // Another worker of the machine has the files already; its memory is enough for one.
      worker.signal("TERM");
      assertEquals(0, worker.exitCode(), worker::said);
      models.unload(second.getName(), POOL);
      BitloomProcess small = worker(cluster, "cache", "90MiB");
      await(cluster, first, VersionState.VERSION_STATE_READY);
      assertFalse(small.said().contains("tried again"), small::said);
      assertEquals(4, blobs("cache"), "the files of both versions, which are the same");
      Job running = submit(cluster, first.getName(), 40);
      cluster.awaitMiddle(running, 1);
      models.load(second.getName(), POOL);
      await(cluster, second, VersionState.VERSION_STATE_READY);
      assertEquals(VersionState.VERSION_STATE_UNLOADED, state(cluster, first));
      models.unload(second.getName(), POOL);
      assertDrawnBy(first, cluster.exactlyOneResultForEachPrompt(running, 40));

      models.unload(first.getName(), POOL);
      cluster.await(
          "nothing is loaded",
          () -> state(cluster, first) == VersionState.VERSION_STATE_UNSPECIFIED);
      models.delete(first.getName());
      models.delete(second.getName());
      assertEquals(List.of(), models.list("").getModelsList());
    }
  }

  @Test
  void workersFetchFromS3ByUrl() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCluster cluster =
            TestCluster.startWithoutWorker(
                folder,
                List.of(
                    "--results=s3://" + TestS3.BUCKET + "/models-it",
                    "--s3-endpoint=" + s3.endpoint(),
                    "--s3-path-style"),
                s3.environment())) {
      ModelVersion version = push(cluster, directory("in-s3"), "latest");
      assertEquals(4, s3.keys("models-it/models/sha256/").size());
      cluster.client().models().load("demo", POOL);
      worker(cluster, "cache", "1GiB");
      Job job = submit(cluster, "demo@latest", 2);
      assertDrawnBy(version, cluster.exactlyOneResultForEachPrompt(job, 2));
      assertEquals(JobState.JOB_STATE_SUCCEEDED, cluster.client().getJob(job.getName()).getState());
    }
  }
}
