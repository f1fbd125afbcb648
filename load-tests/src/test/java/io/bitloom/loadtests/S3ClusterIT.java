package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.PromptResult;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes and an S3 server: a worker uploads, and stops when its job is cancelled. */
class S3ClusterIT {

  private static final int PROMPTS = 8;

  @TempDir private Path folder;

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
      for (PromptResult result : cluster.exactlyOneResultForEachPrompt(job, PROMPTS)) {
        GeneratedImage image = result.getImages().getImages(0);
        assertEquals(image.getSha256(), ImageName.sha256(image.getData()));
      }
      assertEquals(PROMPTS, s3.keys("e2e/").size());

      Job cancelled = cluster.submit(400);
      cluster.awaitMiddle(cancelled, 1);
      cluster.client().cancel(cancelled.getName());
      cluster.await("the end", () -> state(cluster, cancelled) == JobState.JOB_STATE_CANCELLED);
      cluster.await("the worker's word", () -> cluster.worker().said().contains("was stopped"));
      assertTrue(cluster.worker().isAlive());
    }
  }

  private static JobState state(TestCluster cluster, Job job) {
    return cluster.client().getJob(job.getName()).getState();
  }
}
