package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.Milestone;
import io.bitloom.coordinator.queue.WebhookState;
import io.bitloom.v1.JobState;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The fields of a job's hash, as the scripts name them. */
record JobFields(Map<String, byte[]> fields) {

  /** Begins the fields that {@code describe.lua} writes. */
  private static final String CHANGED = "now:";

  private static final List<String> COUNTS =
      List.of(
          "appended", "running", "succeeded", "failed", "cancelled", "retried", "images", "drawn");

  /** The fields of a job of which these are other parts. */
  JobFields with(List<JobFields> parts) {
    Map<String, byte[]> all = new HashMap<>(fields);
    for (String count : COUNTS) {
      long sum = numberOrZero(count);
      for (JobFields part : parts) {
        sum += part.numberOrZero(count);
      }
      all.put(count, bytes(Long.toString(sum)));
    }
    Stream.concat(Stream.of(this), parts.stream())
        .flatMap(part -> part.time("started").stream())
        .min(Comparator.naturalOrder())
        .ifPresent(
            first -> {
              all.put("started", bytes(Long.toString(first.toEpochMilli())));
              if (text("state").equals("QUEUED")) {
                all.put("state", bytes("RUNNING"));
              }
            });
    return new JobFields(all);
  }

  /** How many parts the job has; only its first one knows. */
  JobScripts.Parts parts() {
    return fields.containsKey("parts")
        ? new JobScripts.Parts((int) number("parts"), (int) number("opened"))
        : JobScripts.Parts.ONE;
  }

  /** Whether nothing can change any more; a part that is not there has nothing that could. */
  boolean terminal() {
    return fields.isEmpty() || JobRecord.terminal(state(fields.get("state")));
  }

  String tenant() {
    return text("tenant");
  }

  boolean fleeting() {
    return numberOrZero("fleeting") == 1;
  }

  JobUse use() {
    return new JobUse(
        numberOrZero("appended"),
        succeeded() + failed() + numberOrZero("cancelled"),
        numberOrZero("bytes"),
        numberOrZero("results"));
  }

  long appended() {
    return numberOrZero("appended");
  }

  long succeeded() {
    return numberOrZero("succeeded");
  }

  long failed() {
    return numberOrZero("failed");
  }

  JobRecord toRecord(String jobId) {
    long running = number("running");
    long appended = number("appended");
    long succeeded = number("succeeded");
    long failed = number("failed");
    long cancelled = number("cancelled");
    return new JobRecord(
        jobId,
        text("tenant"),
        Math.toIntExact(number("priority")),
        ByteString.copyFrom(fields.get("spec")),
        changes(),
        state(fields.get("state")),
        new JobRecord.Counts(
            appended,
            appended - succeeded - failed - cancelled - running,
            running,
            succeeded,
            failed,
            cancelled,
            number("retried")),
        new JobRecord.Images(numberOrZero("images"), numberOrZero("drawn")),
        Instant.ofEpochMilli(number(fields.containsKey("born") ? "born" : "created")),
        time("expires"),
        time("sealed"),
        time("started"),
        time("ended"),
        webhook());
  }

  private Optional<WebhookState> webhook() {
    return fields.containsKey("hook")
        ? Optional.of(
            new WebhookState(
                Milestone.of(textOrEmpty("hook:told")),
                Milestone.of(textOrEmpty("hook:dead")),
                fields.containsKey("hook:gone"),
                (int) numberOrZero("hook:tries"),
                numberOrZero("hook:failures"),
                time("hook:next"),
                textOrEmpty("hook:error")))
        : Optional.empty();
  }

  private Map<String, ByteString> changes() {
    Map<String, ByteString> changes = new HashMap<>();
    fields.forEach(
        (field, value) -> {
          if (field.startsWith(CHANGED)) {
            changes.put(field.substring(CHANGED.length()), ByteString.copyFrom(value));
          }
        });
    return changes;
  }

  static JobState state(byte[] text) {
    return JobState.valueOf("JOB_STATE_" + new String(text, StandardCharsets.UTF_8));
  }

  private String text(String field) {
    return new String(fields.get(field), StandardCharsets.UTF_8);
  }

  private String textOrEmpty(String field) {
    return fields.containsKey(field) ? text(field) : "";
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private long number(String field) {
    return Long.parseLong(text(field));
  }

  private long numberOrZero(String field) {
    return fields.containsKey(field) ? number(field) : 0;
  }

  private Optional<Instant> time(String field) {
    return fields.containsKey(field)
        ? Optional.of(Instant.ofEpochMilli(number(field)))
        : Optional.empty();
  }
}
