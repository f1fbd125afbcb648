package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
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
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  private JobReport() {}

  /** {@code running}, {@code partially succeeded}. */
  static String state(JobState state) {
    return constant(state).toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String constant(JobState state) {
    return state.name().replace("JOB_STATE_", "");
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

  /** Prompts that have an outcome. */
  static long done(JobCounts counts) {
    return counts.getSucceeded() + counts.getFailed() + counts.getCancelled();
  }

  /** {@code 24 prompts: 20 succeeded, 3 running, 1 failed}; leaves out what is zero. */
  static String counts(JobCounts counts) {
    StringBuilder text = new StringBuilder(plural(counts.getAppended(), "prompt")).append(':');
    add(text, counts.getSucceeded(), "succeeded");
    add(text, counts.getRunning(), "running");
    add(text, counts.getQueued(), "queued");
    add(text, counts.getFailed(), "failed");
    add(text, counts.getCancelled(), "cancelled");
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

  /** Local time to the second, or {@code -}. */
  static String time(Timestamp time) {
    return time.equals(Timestamp.getDefaultInstance())
        ? "-"
        : LOCAL_TIME.format(Instant.ofEpochSecond(time.getSeconds()));
  }

  /** Says how a job ended, or where it stands. */
  static void conclude(Console console, Job job) {
    console.say(
        console.bold(job.getName())
            + "  "
            + state(job.getState())
            + "  "
            + counts(job.getCounts()));
    JsonObject event = json(job);
    event.addProperty("event", "job");
    console.emit(event);
  }

  static JsonObject json(Job job) {
    JsonObject json = new JsonObject();
    json.addProperty("job", job.getName());
    json.addProperty("display_name", job.getDisplayName());
    json.addProperty("state", constant(job.getState()));
    json.addProperty("model", job.getModel());
    json.addProperty("priority", job.getPriority());
    json.add("labels", labels(job));
    json.add("counts", json(job.getCounts()));
    addTime(json, "create_time", job.hasCreateTime(), job.getCreateTime());
    addTime(json, "seal_time", job.hasSealTime(), job.getSealTime());
    addTime(json, "start_time", job.hasStartTime(), job.getStartTime());
    addTime(json, "end_time", job.hasEndTime(), job.getEndTime());
    addTime(json, "expire_time", job.hasExpireTime(), job.getExpireTime());
    addTime(json, "estimated_end_time", job.hasEstimatedEndTime(), job.getEstimatedEndTime());
    if (job.hasQueuePosition()) {
      json.addProperty("queue_position", job.getQueuePosition());
    }
    if (!job.getReplayOf().isEmpty()) {
      json.addProperty("replay_of", job.getReplayOf());
    }
    return json;
  }

  private static JsonObject labels(Job job) {
    JsonObject labels = new JsonObject();
    job.getLabelsMap().forEach(labels::addProperty);
    return labels;
  }

  private static JsonObject json(JobCounts counts) {
    JsonObject json = new JsonObject();
    json.addProperty("appended", counts.getAppended());
    json.addProperty("queued", counts.getQueued());
    json.addProperty("running", counts.getRunning());
    json.addProperty("succeeded", counts.getSucceeded());
    json.addProperty("failed", counts.getFailed());
    json.addProperty("cancelled", counts.getCancelled());
    json.addProperty("retried", counts.getRetried());
    return json;
  }

  private static void addTime(JsonObject json, String name, boolean present, Timestamp time) {
    if (present) {
      json.addProperty(name, Timestamps.toString(time));
    }
  }
}
