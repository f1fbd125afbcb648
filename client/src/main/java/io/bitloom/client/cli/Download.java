package io.bitloom.client.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.client.output.ContactSheet;
import io.bitloom.client.output.ImageFolder;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResultDownload;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.manifest.OutcomeStatus;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Brings a job's results into a folder. */
final class Download {

  /** Failures of one cause that are named; the others are counted. */
  private static final int SHOWN_FAILURES = 3;

  private static final int MOST_CAUSES = 100;

  private final Console console;
  private final BitloomClient client;
  private final Path out;
  private final Map<String, Long> failuresByCause = new LinkedHashMap<>();
  private long firstImageNanos;

  Download(Console console, BitloomClient client, Path out) {
    this.console = console;
    this.client = client;
    this.out = out;
  }

  /**
   * Saves the results that are not in the folder yet and draws the contact sheet. What a replay
   * drew goes into the folder of the job that it repeats as if that had drawn it; what is not there
   * yet of that job is fetched first.
   *
   * @param follow whether to wait until the job is done
   * @param title of the contact sheet
   * @param note second line of the contact sheet
   * @return the job as it stands afterwards
   */
  Job run(Job job, boolean follow, String title, String note) throws IOException {
    return run(job, follow, title, note, () -> {});
  }

  /**
   * As {@link #run(Job, boolean, String, String)}.
   *
   * @param taken called once the folder is known to be one for the job's images
   */
  Job run(Job job, boolean follow, String title, String note, Runnable taken) throws IOException {
    Set<String> replayed = replayed(job);
    Optional<String> made = ImageFolder.jobOf(out).filter(replayed::contains);
    if (made.isPresent()) {
      try (ImageFolder folder = ImageFolder.open(out, made.get())) {
        save(client.getJob(made.get()), folder, false);
        fillGaps(made.get(), folder);
      }
    }
    try (ImageFolder folder = ImageFolder.open(out, job.getName(), replayed)) {
      taken.run();
      save(job, folder, follow);
      Job now = fillGaps(job.getName(), folder);
      folder.merge();
      String counted = title + "  ·  " + JobReport.plural(folder.images(), "image");
      ContactSheet.draw(out, counted, note);
      summarize(folder);
      return now;
    }
  }

  /** The jobs that a job repeats, the latest first, as far as they are still there. */
  private Set<String> replayed(Job job) {
    Set<String> names = new LinkedHashSet<>();
    String before = job.getReplayOf();
    while (!before.isEmpty() && names.add(before)) {
      try {
        before = client.getJob(before).getReplayOf();
      } catch (BitloomException e) {
        if (e.code() != ErrorCode.JOB_NOT_FOUND) {
          throw e;
        }
        names.remove(before); // what failed in it cannot be told any more
        before = "";
      }
    }
    return names;
  }

  /** When the first image was on disk, by {@link System#nanoTime}; 0 if none was fetched. */
  long firstImageNanos() {
    return firstImageNanos;
  }

  private void save(Job job, ImageFolder folder, boolean follow) throws IOException {
    JobProgress progress =
        new JobProgress(
            console,
            "draw",
            job.getName(),
            job.getCounts().getAppended(),
            folder.prompts(),
            folder.images(),
            System::nanoTime);
    if (follow && JobReport.isOpen(job)) {
      progress.catchUp(JobReport.ended(job.getCounts()));
    }
    progress.update(folder.prompts(), folder.failed(), folder.stopped(), folder.images());
    try (Pulse pulse = Pulse.ofJob(client, job.getName(), progress);
        ResultDownload results = client.downloadResults(job.getName(), folder.cursor(), follow)) {
      while (results.hasNext()) {
        save(results.next(), folder);
        progress.update(folder.prompts(), folder.failed(), folder.stopped(), folder.images());
      }
    }
    countFailures();
  }

  private void save(ReadResultsResponse response, ImageFolder folder) throws IOException {
    List<String> files = folder.save(response);
    if (firstImageNanos == 0 && !files.isEmpty()) {
      firstImageNanos = System.nanoTime();
    }
    report(response.getResult(), files);
  }

  /**
   * Reads all results again if there are fewer here than the job has. This is so where the queue
   * was set back, by a backup or by a Redis that lost its last writes, to a place that the folder
   * had passed: what was drawn since then came in another order.
   *
   * @return the job as it stands
   */
  private Job fillGaps(String name, ImageFolder folder) throws IOException {
    Job job = client.getJob(name);
    long ended = JobReport.ended(job.getCounts());
    if (JobReport.isOpen(job) || folder.prompts() >= ended) {
      return job;
    }
    console.say(
        "the queue was set back while results were read, and "
            + JobReport.plural(ended - folder.prompts(), "result")
            + " came before the place where this folder was: looking through all of them");
    try (ResultDownload results = client.downloadResults(name, "", false)) {
      while (results.hasNext()) {
        ReadResultsResponse response = results.next();
        if (!folder.has(response.getResult())) {
          save(response, folder);
        }
      }
    }
    countFailures();
    return job;
  }

  private void report(PromptResult result, List<String> files) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "result");
    event.addProperty("custom_id", result.getCustomId());
    event.addProperty("offset", result.getOffset());
    if (result.hasFailure()) {
      event.addProperty("reason", result.getFailure().getReason());
      event.addProperty("message", result.getFailure().getMessage());
      event.addProperty("attempts", result.getFailure().getAttempts());
      complain(result, event);
      return;
    }
    JsonArray names = new JsonArray();
    files.forEach(names::add);
    event.add("files", names);
    console.emit(event);
  }

  /** Names the first failures of each cause; the manifest has them all. */
  private void complain(PromptResult result, JsonObject event) {
    if (console.isJson()) {
      console.emit(event);
    } else if (OutcomeStatus.failed(result)) {
      String cause =
          result.getFailure().getReason()
              + ", "
              + FieldViolation.shown(result.getFailure().getMessage());
      String counted =
          failuresByCause.size() < MOST_CAUSES || failuresByCause.containsKey(cause)
              ? cause
              : "other causes, see the manifest";
      if (failuresByCause.merge(counted, 1L, Long::sum) <= SHOWN_FAILURES) {
        console.complain(FieldViolation.shown(result.getCustomId()) + " failed: " + cause, event);
      }
    }
  }

  private void countFailures() {
    failuresByCause.forEach(
        (cause, count) -> {
          if (count > SHOWN_FAILURES) {
            console.say(
                JobReport.plural(count - SHOWN_FAILURES, "more prompt") + " failed: " + cause);
          }
        });
  }

  private void summarize(ImageFolder folder) {
    console.say(JobReport.plural(folder.images(), "image") + " in " + out);
    console.say("  " + out.resolve("contact-sheet.png"));
    console.say("  " + out.resolve("manifest.jsonl"));
    long without = folder.withoutImages();
    if (without > 0) {
      console.say(
          JobReport.plural(without, "prompt") + " without images; the manifest says why (reason)");
    }
  }
}
