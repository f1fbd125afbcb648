package io.bitloom.coordinator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.json.MessageJson;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.JobState;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the jobs page says of a job, by its own script. */
class StandingTest {

  @TempDir Path folder;

  @BeforeEach
  void copyTheScripts() throws IOException {
    Files.writeString(folder.resolve("package.json"), "{\"type\": \"module\"}");
    for (String script : List.of("pages.js", "standing.js")) {
      try (InputStream file = PageFile.class.getResourceAsStream("pages/" + script)) {
        Files.copy(file, folder.resolve(script));
      }
    }
  }

  private String said(Job job) throws Exception {
    Files.writeString(
        folder.resolve("say.js"),
        "import { outcomeName, shareDone, stateOf } from './standing.js';\n"
            + "const job = "
            + MessageJson.of(job)
            + ";\nconsole.log([stateOf(job).label, shareDone(job), outcomeName(job, 'cancelled')]"
            + ".join(' | '));\n");
    Process node;
    try {
      node =
          new ProcessBuilder("node", "say.js")
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      assumeTrue(false, "there is no node on this machine");
      throw e;
    }
    String output = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, node.waitFor(), output);
    return output.strip();
  }

  private static Job job(JobState state, JobCounts.Builder counts) {
    return Job.newBuilder().setState(state).setCounts(counts.setAppended(60)).build();
  }

  @Test
  void aJobWithoutAPictureIsNotDoneToAnyPart() throws Exception {
    assertEquals(
        "expired | 0 / 60  ·  0 % | expired",
        said(job(JobState.JOB_STATE_EXPIRED, JobCounts.newBuilder().setCancelled(60))));
    assertEquals(
        "partially succeeded | 45 / 60  ·  75 % | cancelled",
        said(
            job(
                JobState.JOB_STATE_PARTIALLY_SUCCEEDED,
                JobCounts.newBuilder().setSucceeded(45).setFailed(15))));
  }

  @Test
  void aJobThatNobodyCanDrawIsNotSaidToRun() throws Exception {
    Job running = job(JobState.JOB_STATE_RUNNING, JobCounts.newBuilder().setQueued(60));
    assertEquals("running | 0 / 60  ·  0 % | cancelled", said(running));
    assertEquals(
        "waits for a worker | 0 / 60  ·  0 % | cancelled",
        said(running.toBuilder().setWaitsForWorker(true).build()));
  }
}
