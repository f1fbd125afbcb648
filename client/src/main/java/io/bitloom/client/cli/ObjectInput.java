package io.bitloom.client.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.v1.BadInputLine;
import io.bitloom.v1.InputPhase;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInputProgress;
import io.bitloom.v1.WatchJobResponse;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** An object with prompts, which coordinators read: follows how far they are. */
final class ObjectInput {

  /** What the names of objects begin with. */
  static final String SCHEME = "s3://";

  private static final long LOG_PAUSE = TimeUnit.SECONDS.toNanos(5);

  private final Console console;
  private final BitloomClient client;
  private long saidNanos = System.nanoTime() - LOG_PAUSE;

  ObjectInput(Console console, BitloomClient client) {
    this.console = console;
    this.client = client;
  }

  /** Waits until all prompts are queued, or the job has ended; returns the job as it then is. */
  Job await(Job job) {
    Job now = job;
    JobProgress progress =
        new JobProgress(console, "submit", job.getName(), 0, 0, 0, System::nanoTime);
    try (Pulse pulse = Pulse.ofSubmission(client, progress);
        ResumingStream<WatchJobResponse> events = client.watch(job.getName())) {
      while (!isRead(now) && events.hasNext()) {
        WatchJobResponse event = events.next();
        if (event.hasJob()) {
          now = event.getJob();
          show(now, progress);
        }
      }
    }
    return now;
  }

  private static boolean isRead(Job job) {
    return job.hasSealTime() || !JobReport.isOpen(job);
  }

  private void show(Job job, JobProgress progress) {
    JobInputProgress read = job.getInputProgress();
    if (read.getPhase() == InputPhase.INPUT_PHASE_APPENDING) {
      progress.expect(read.getPromptsTotal());
      progress.update(job.getCounts().getAppended(), 0, 0, 0);
    } else if (read.getPhase() == InputPhase.INPUT_PHASE_CHECKING) {
      say(
          String.format(
              Locale.ROOT,
              "checking %s: %d %% read, %,d prompts",
              job.getInput().getUri(),
              100 * read.getBytesRead() / Math.max(1, read.getBytes()),
              read.getPrompts()));
    }
    if (!read.getObstacle().isEmpty()) {
      say("waits: " + read.getObstacle());
    }
  }

  private void say(String line) {
    if (console.columns() > 0) {
      console.live(line.substring(0, Math.min(line.length(), console.columns() - 1)));
    } else if (System.nanoTime() - saidNanos >= LOG_PAUSE) {
      saidNanos = System.nanoTime();
      console.say(line);
    }
  }

  /** Whether the coordinators refused the object; then says why. */
  static boolean refused(Console console, Job job) {
    JobInputProgress read = job.getInputProgress();
    if (read.getPhase() != InputPhase.INPUT_PHASE_REFUSED) {
      return false;
    }
    String uri = job.getInput().getUri();
    for (BadInputLine bad : read.getViolationsList()) {
      JsonObject event = new JsonObject();
      event.addProperty("event", "bad_line");
      event.addProperty("file", uri);
      event.addProperty("line", bad.getLine());
      event.addProperty("field", bad.getField());
      event.addProperty("value", bad.getValue());
      event.addProperty("message", bad.getDescription());
      event.addProperty("count", 1);
      JsonArray lines = new JsonArray();
      lines.add(bad.getLine());
      event.add("lines", lines);
      console.complain(uri + ":" + bad.getLine() + ": " + bad.getDescription(), event);
    }
    return true;
  }
}
