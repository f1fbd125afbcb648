package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.client.sdk.ResultDownload;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.PromptResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes and an S3 server: a worker uploads, and stops when its job is cancelled. */
class S3ClusterIT {

  private static final int PROMPTS = 8;

  @TempDir private Path folder;
  private int submissions;

  @Test
  void aWorkerUploadsItsImagesAndStopsWithACancelledJob() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCluster cluster =
            TestCluster.start(
                folder,
                List.of(
                    "--results=s3://" + TestS3.BUCKET + "/e2e",
                    "--s3-endpoint=" + s3.endpoint(),
                    "--s3-path-style"),
                s3.environment())) {
      Job job = cluster.submit(PROMPTS);
      List<PromptResult> results = cluster.exactlyOneResultForEachPrompt(job, PROMPTS);
      for (PromptResult result : results) {
        GeneratedImage image = result.getImages().getImages(0);
        assertEquals(image.getSha256(), ImageName.sha256(image.getData()));
      }
      assertEquals(results, downloaded(cluster, job));
      assertEquals(PROMPTS, s3.keys("e2e/").stream().filter(key -> key.endsWith(".png")).count());

      Job cancelled = cluster.submit(400);
      cluster.awaitMiddle(cancelled, 1);
      cluster.client().cancel(cancelled.getName());
      cluster.await("the end", () -> state(cluster, cancelled) == JobState.JOB_STATE_CANCELLED);
      cluster.await("the worker's word", () -> cluster.worker().said().contains("was stopped"));
      assertTrue(cluster.worker().isAlive());
    }
  }

  private static List<PromptResult> downloaded(TestCluster cluster, Job job) {
    List<PromptResult> results = new ArrayList<>();
    try (ResultDownload download = cluster.client().downloadResults(job.getName(), "", true)) {
      download.forEachRemaining(response -> results.add(response.getResult()));
    }
    return results;
  }

  @Test
  void anObjectIsSubmittedFromTheCommandLine() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCluster cluster =
            TestCluster.start(
                folder,
                List.of(
                    "--input=s3://" + TestS3.BUCKET + "/in",
                    "--s3-endpoint=" + s3.endpoint(),
                    "--s3-path-style"),
                s3.environment())) {
      s3.overwrite("in/good.csv", "Key,Text\na,a red fox\nb,a kite\n");
      s3.overwrite("in/bad.txt", "fine\n" + "x".repeat(5000) + "\n");
      Path out = folder.resolve("out");

      BitloomProcess good =
          submit(
              cluster,
              "in/good.csv",
              "--column=key=custom_id",
              "--column=Text=prompt",
              "--out=" + out);
      assertEquals(0, good.exitCode(), good::said);
      assertTrue(Files.exists(out.resolve("a.png")) && Files.exists(out.resolve("b.png")));

      BitloomProcess bad = submit(cluster, "in/bad.txt");
      assertEquals(2, bad.exitCode(), bad::said);
      assertTrue(bad.err().contains("s3://images/in/bad.txt:2: prompt must"), bad::said);
      assertTrue(bad.err().contains("has bad lines (1); nothing was queued"), bad::said);

      BitloomProcess forbidden = submit(cluster, "out/x.jsonl");
      assertEquals(2, forbidden.exitCode(), forbidden::said);
      assertTrue(forbidden.err().contains("must not name objects here"), forbidden::said);

      BitloomProcess checked = submit(cluster, "in/bad.txt", "--dry-run");
      assertEquals(2, checked.exitCode(), checked::said);
      assertTrue(checked.err().contains("--dry-run has no effect with an object"), checked::said);
    }
  }

  private BitloomProcess submit(TestCluster cluster, String key, String... options)
      throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "submit",
                "s3://" + TestS3.BUCKET + "/" + key,
                "--coordinator=" + cluster.address()));
    arguments.addAll(List.of(options));
    return BitloomProcess.start(folder, "submit-" + submissions++, arguments);
  }

  private static JobState state(TestCluster cluster, Job job) {
    return cluster.client().getJob(job.getName()).getState();
  }
}
