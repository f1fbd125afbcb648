package io.bitloom.coordinator.jobs;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.bitloom.common.json.MessageJson;
import io.bitloom.common.manifest.ManifestLine;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.JobOutput;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Writes what came of a job that has ended into files beside its images, in memory that does not
 * grow with the job. The same job gives the same files.
 */
public final class JobFiles {

  private static final int PAGE = 256;
  private static final Gson PRETTY =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create();

  private final ResultLog results;

  public JobFiles(ResultLog results) {
    this.results = results;
  }

  /** Says whether to go on, and waits for what the queue answers. */
  public interface Waiting {
    <T> T on(CompletionStage<T> stage) throws IOException;
  }

  /**
   * Writes both files; blocks.
   *
   * @return where they are
   * @throws io.bitloom.common.error.BitloomException as {@link DirectAccess} does
   */
  public JobOutput write(JobRecord job, DirectAccess store, Waiting waiting) {
    String manifest =
        store.write(
            job.id(),
            "manifest.jsonl",
            "application/jsonl",
            out -> writeManifest(job.id(), out, waiting));
    String described =
        store.write(job.id(), "job.json", "application/json", out -> writeJob(job, out));
    return JobOutput.newBuilder().setManifestUri(manifest).setJobUri(described).build();
  }

  private static void writeJob(JobRecord job, OutputStream out) throws IOException {
    String json = PRETTY.toJson(MessageJson.of(JobMessages.of(job)));
    out.write((json + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void writeManifest(String jobId, OutputStream out, Waiting waiting) throws IOException {
    Writer lines = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
    CompletionStage<List<ResultRecord>> next = results.read(jobId, Cursor.START, PAGE);
    while (true) {
      List<ResultRecord> page = waiting.on(next);
      if (page.isEmpty()) {
        lines.flush();
        return;
      }
      next =
          results.read(jobId, page.get(page.size() - 1).cursor(), PAGE); // while these are written
      for (ResultRecord record : page) {
        writeLines(jobId, ResultReader.describe(jobId, record), lines);
      }
    }
  }

  private static void writeLines(String jobId, ReadResultsResponse described, Writer lines)
      throws IOException {
    String job = JobNames.of(jobId);
    PromptResult result = described.getResult();
    if (!result.hasImages()) {
      write(ManifestLine.ofFailure(job, null, result, described.getCursor()), lines);
      return;
    }
    int folder = ImageName.folder(jobId).length() + 1;
    for (GeneratedImage image : result.getImages().getImagesList()) {
      String file = image.getUri().substring(folder);
      write(ManifestLine.of(job, null, result, image, file, described.getCursor()), lines);
    }
  }

  private static void write(ManifestLine line, Writer lines) throws IOException {
    lines.write(line.toJson());
    lines.write('\n');
  }
}
