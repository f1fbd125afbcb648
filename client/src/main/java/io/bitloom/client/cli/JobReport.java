package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import com.google.protobuf.Timestamp;
import io.bitloom.common.json.EnumNames;
import io.bitloom.common.json.MessageJson;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.JobState;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** A job in the words of the command line. */
final class JobReport {

  private static final DateTimeFormatter LOCAL_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss xxx", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  private JobReport() {}

  /** {@code running}, {@code partially succeeded}. */
  static String state(JobState state) {
    return EnumNames.of(state).toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** The state, or {@code no worker} where that is why nothing of the job is drawn. */
  static String state(Job job) {
    return job.getWaitsForWorker() ? "no worker" : state(job.getState());
  }

  /** Whether its state may still change. */
  static boolean isOpen(Job job) {
    return switch (job.getState()) {
      case JOB_STATE_SUCCEEDED,
          JOB_STATE_PARTIALLY_SUCCEEDED,
          JOB_STATE_FAILED,
          JOB_STATE_CANCELLED,
          JOB_STATE_EXPIRED ->
          false;
      default -> true;
    };
  }

  /** Prompts that have their images. */
  static long done(JobCounts counts) {
    return counts.getSucceeded();
  }

  /** Prompts that have an outcome, be it none that anybody wanted. */
  static long ended(JobCounts counts) {
    return counts.getSucceeded() + counts.getFailed() + counts.getCancelled();
  }

  /** {@code 24 prompts: 20 succeeded, 3 running, 1 failed}; leaves out what is zero. */
  static String counts(Job job) {
    JobCounts counts = job.getCounts();
    StringBuilder text = new StringBuilder(plural(counts.getAppended(), "prompt")).append(':');
    add(text, counts.getSucceeded(), "succeeded");
    add(text, counts.getRunning(), "running");
    add(text, counts.getQueued(), "queued");
    add(text, counts.getFailed(), "failed");
    boolean expired = job.getState() == JobState.JOB_STATE_EXPIRED;
    add(text, counts.getCancelled(), expired ? "expired" : "cancelled");
    add(text, counts.getRetried(), "retried");
    return text.substring(0, text.length() - 1);
  }

  private static void add(StringBuilder text, long count, String what) {
    if (count > 0) {
      text.append(String.format(Locale.ROOT, " %,d %s,", count, what));
    }
  }

  /** {@code 1 prompt}, {@code 1,000 prompts}. */
  static String plural(long count, String what) {
    return String.format(Locale.ROOT, "%,d %s%s", count, what, count == 1 ? "" : "s");
  }

  /** Local time to the second with its offset from UTC, or {@code -}. */
  static String time(Timestamp time) {
    return time.equals(Timestamp.getDefaultInstance())
        ? "-"
        : LOCAL_TIME.format(Instant.ofEpochSecond(time.getSeconds()));
  }

  /** Says how a job ended, or where it stands. */
  static void conclude(Console console, Job job) {
    console.say(console.bold(job.getName()) + "  " + state(job) + "  " + counts(job));
    console.emit(json(job));
  }

  /** A job as an event: what {@link MessageJson} makes of it, and its name as in other events. */
  static JsonObject json(Job job) {
    JsonObject json = new JsonObject();
    json.addProperty("event", "job");
    json.addProperty("job", job.getName());
    MessageJson.of(job).entrySet().forEach(field -> json.add(field.getKey(), field.getValue()));
    return json;
  }
}
